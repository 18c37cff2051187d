"""``kind = "classifier"`` from training to the door: who was learnt is known, who was not is a stranger."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from facesecure.app.assembly import run
from facesecure.camera.synthetic.portraits import GRACE_HOPPER
from facesecure.domain import VerdictKind
from facesecure.domain.records import StoredSighting
from facesecure.storage.store import Store
from support.service.journey import config_for, lines_of
from support.training.colour_classifier import classifier_in

KNOWN, STRANGER, UNIDENTIFIED = VerdictKind.KNOWN, VerdictKind.STRANGER, VerdictKind.UNIDENTIFIED

pytestmark = pytest.mark.slow

TESTS = Path(__file__).resolve().parents[1]
WITHOUT_TENSORFLOW = """
import sys
sys.modules.update({name: None for name in ("tensorflow", "keras", "facesecure_training")})  # their import fails
from facesecure.cli.main import main
sys.exit(main())
"""


def evening(state: Path) -> list[StoredSighting]:
    """What was seen, in order of time."""
    with Store.open(state) as store:
        return sorted(store.sightings(limit=100, latest_only=True), key=lambda sighting: sighting.first_seen)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory) -> Path:
    """The .tflite of a network that was taught, just now and in a process of its own, what Grace Hopper looks like."""
    if find_spec("tensorflow") is None:
        pytest.skip("needs the [training] extra")
    folder = tmp_path_factory.mktemp("classifier")
    words = [sys.executable, "-m", "support.training.trained_classifier", folder]
    made = subprocess.run(
        words, env={**os.environ, "PYTHONPATH": str(TESTS)}, capture_output=True, text=True, timeout=300, check=False
    )
    assert made.returncode == 0, made.stderr
    return folder / "door.tflite"


@pytest.mark.tensorflow
def test_a_classifier_trained_just_now_names_her_at_the_door_and_nobody_else(classifier, door_clip, tmp_path):
    state, log = tmp_path / "state", tmp_path / "alerts.jsonl"
    (tmp_path / "door.toml").write_text(
        f'[camera]\nsource = "file:{door_clip}"\n'
        f'[recognizer]\nkind = "classifier"\nmodel = "{classifier}"\n'
        f"[verdict]\nfalse_accept = 0.001\n"
        f'[plugins.log]\nfile = "{log}"\n'
    )
    words = ["--config", tmp_path / "door.toml", "--state-dir", state, "run", "--exit-at-end"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = evening(state)
    assert [sighting.kind for sighting in seen] == [KNOWN, STRANGER, UNIDENTIFIED], done.stderr
    assert seen[0].name == GRACE_HOPPER.name
    assert [line["kind"] for line in lines_of(log)][:2] == ["known", "stranger"]
    assert f"like {GRACE_HOPPER.name}" in seen[0].verdict.why


@pytest.mark.parametrize("loose", [False, True], ids=["aligned crops", "loose crops"])
def test_strangers_to_a_classifier_are_told_apart_as_visitors(door_clip, tmp_path, loose):
    """It knows people by red and green faces, of whom none comes: two clear visitors, and one too blurred to tell."""
    recognizer = {"kind": "classifier", "model": str(classifier_in(tmp_path / "colours", loose=loose))}
    run(config_for(door_clip, recognizer=recognizer), tmp_path / "state", exit_at_end=True)
    seen = evening(tmp_path / "state")
    assert [sighting.kind for sighting in seen] == [STRANGER, STRANGER, UNIDENTIFIED]
    assert "nobody we know" in seen[0].verdict.why
    with Store.open(tmp_path / "state") as store:
        assert sorted(visitor.visits for visitor in store.visitors.all()) == [1, 1]
