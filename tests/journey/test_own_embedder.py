"""A siamese DenseNet trained just now recognises, in the daemon, the people enrolled with the bundled network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from facesecure.camera.synthetic.clip import enrolment_images, figure_of
from facesecure.camera.synthetic.figure import SHARP, Pose
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS
from facesecure.storage.store import Store
from facesecure.vision.inference.model_card import ModelCard, load_model
from facesecure_training.common import model_bundle
from support.service.commandline import CommandLine, own_settings, write_picture
from support.training.class_folders import rendered

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]
pytest.importorskip("tensorflow", reason="needs the [training] extra")
SIDE = 64
PROGRAM = "from facesecure_training.cli.main import main; main()"


def facesecure_train(folder: Path, *words: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, words)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """The .tflite of a student of the bundled network, trained on two portraits; its input is smaller than a crop.

    Its scores are not measured, as `evaluate scores` would: two people are too few. The bundled network's stand in.
    """
    folder = tmp_path_factory.mktemp("own")
    rendered(folder / "faces", 12, 112)
    facesecure_train(
        folder, "train", "siamese-densenet", "--data", "faces", "--validation", "faces", "--out", "run",
        "--objective", "distil", "--cache", "cache", "--views", 16, "--blocks", "1,2", "--growth", 8, "--size", SIDE,
        "--batch", 16, "--pairs", 40, "--epochs", 6, "--lr", 0.01, "--augment", "aligned",
    )  # fmt: skip
    words = ("--name", "own", "--data", "faces", "--into", "models", "--json")
    (form,) = json.loads(facesecure_train(folder, "export", "run", *words))["forms"]
    path = folder / form["file"]
    made, bundled = load_model(path), load_model("mobilefacenet").card
    shared = {name: getattr(bundled, name) for name in ("score_model", "impostor_quantiles", "genuine_quantiles")}
    model_bundle.save(path.parent, ModelCard.model_validate({**made.card.model_dump(), **shared}))
    return path


@pytest.fixture
def facesecure(tmp_path, monkeypatch, capfd) -> CommandLine:
    return CommandLine(own_settings(tmp_path, monkeypatch), capfd)


def album(folder: Path, eileen: bool) -> Path:
    """Six photos of one of the two people."""
    folder.mkdir()
    if not eileen:
        for number, image in enumerate(enrolment_images(6)):
            write_picture(folder / f"{number}.png", image)
        return folder
    figure = figure_of(EILEEN_COLLINS)
    for number, turn in enumerate((-0.3, -0.2, -0.1, 0.1, 0.2, 0.3)):
        scene = enrolment_images(6)[number] * 0 + 90 + 20 * number
        figure.turned(turn, 0.2 * number).paint(scene, Pose((320, 260), 130 + 10 * number, yaw=turn), SHARP)
        write_picture(folder / f"{number}.png", scene)
    return folder


def test_people_enrolled_before_are_recognised_by_a_network_of_ones_own(model, facesecure, tmp_path):
    albums = {name: album(tmp_path / name, name == "Eileen") for name in ("Grace", "Eileen")}
    for name, folder in albums.items():
        assert facesecure("enroll", name, "--images", folder).code == 0
    config = tmp_path / "own.toml"
    config.write_text(f'[recognizer]\nmodel = "{model}"\n')
    assert load_model(model).card.input.shape == (1, SIDE, SIDE, 3)
    pictures = [albums[name] / "3.png" for name in albums]
    outcome = facesecure("--config", config, "identify", *pictures, "--json")
    assert outcome.code == 0, outcome.err
    with Store.open(facesecure.state) as store:
        assert {template.model_sha256 for template in store.templates()} == {load_model(model).sha256}
    faces = [image["faces"][0] for image in outcome.json["images"]]
    assert [max(face["scores"], key=face["scores"].get) for face in faces] == ["Grace", "Eileen"]
    assert all(set(face["scores"]) == {"Grace", "Eileen"} for face in faces)
    assert facesecure.people().keys() == {"Grace", "Eileen"}
    again = facesecure("--config", config, "enroll", "Grace", "--images", albums["Grace"], "--json")
    assert again.code == 0, again.err
