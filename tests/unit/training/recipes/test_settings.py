"""Settings, and what of them a resumed run may be asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure_training.cli.train import resumed
from facesecure_training.recipes.registry import KINDS, units
from facesecure_training.recipes.settings import HugonetSettings, TrainingSettings


@pytest.mark.parametrize("kind", KINDS)
def test_settings_come_back_from_json_as_they_were(kind):
    settings = KINDS[kind].settings(data=Path("faces"), epochs=7)
    assert type(settings).from_json(settings.to_json()) == settings


def test_paths_are_kept_whole_so_that_a_run_resumes_from_anywhere():
    assert TrainingSettings(data=Path("faces")).data == Path.cwd() / "faces"


def test_a_setting_of_another_version_is_refused():
    with pytest.raises(FacesecureError, match="unknown here"):
        TrainingSettings.from_json({"speed": 3})


def test_what_was_not_said_again_is_taken_from_the_run():
    before = HugonetSettings(epochs=50, lr=1e-5, threads=1)
    assert resumed(before, HugonetSettings(threads=2), frozenset({"threads"})) == replace(before, threads=2)
    assert resumed(before, HugonetSettings(), frozenset()) == before


def test_what_is_said_otherwise_than_before_is_refused_not_ignored():
    with pytest.raises(UsageError, match=r"--epochs is 60, and the run began with 50"):
        resumed(HugonetSettings(epochs=50), HugonetSettings(epochs=60), frozenset({"epochs"}))


@pytest.mark.parametrize(("given", "complaint"), [({"lr": 0.0}, "--lr"), ({"augment": "fog"}, "fog")])
def test_settings_that_make_no_sense_are_refused(given, complaint):
    with pytest.raises(UsageError, match=complaint):
        TrainingSettings(**given)


def test_dense_blocks_are_read_as_numbers():
    assert units("6,12,24,16") == (6, 12, 24, 16)
    with pytest.raises(UsageError, match="6,12,24,16"):
        units("six")
