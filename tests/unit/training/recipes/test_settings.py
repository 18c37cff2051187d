"""Settings, and what of them a resumed run may be asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure_training.cli.train import resumed
from facesecure_training.recipes.registry import KINDS, units
from facesecure_training.recipes.run_folder import RunFolder
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


@pytest.mark.parametrize(
    "content", ["null", "[]", "7", '{"kind": "hugonet"}', '{"kind": "hugonet", "settings": null}', "{", "\0\1"]
)
def test_a_config_that_describes_no_run_is_refused_with_its_name(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(FacesecureError, match=r"config\.json (does not describe a run|cannot be read)") as error:
        RunFolder(tmp_path).read_settings("hugonet", HugonetSettings)
    assert error.value.hint


@pytest.mark.parametrize("wrong", [{"lr": None}, {"epochs": "many"}, {"epochs": 2.5}, {"data": [1]}, {"schedule": "x"}])
def test_a_setting_of_another_type_is_refused_by_its_name(tmp_path, wrong):
    document = {"kind": "hugonet", "settings": {**HugonetSettings().to_json(), **wrong}}
    (tmp_path / "config.json").write_text(json.dumps(document))
    with pytest.raises(FacesecureError, match=rf"config\.json has {next(iter(wrong))} = "):
        RunFolder(tmp_path).read_settings("hugonet", HugonetSettings)


def test_what_was_not_said_again_is_taken_from_the_run():
    before = HugonetSettings(epochs=50, lr=1e-5, threads=1)
    assert resumed(before, HugonetSettings(threads=2), frozenset({"threads"})) == replace(before, threads=2)
    assert resumed(before, HugonetSettings(), frozenset()) == before


def test_what_is_said_otherwise_than_before_is_refused_not_ignored():
    with pytest.raises(UsageError, match=r"--epochs is 60, and the run began with 50"):
        resumed(HugonetSettings(epochs=50), HugonetSettings(epochs=60), frozenset({"epochs"}))


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"lr": 0.0}, "--lr"),
        ({"augment": "fog"}, "fog"),
        ({"lr": 1e300}, "--lr is 1e[+]300"),
        ({"weight_decay": 1e300}, "--weight-decay is"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given, complaint):
    with pytest.raises(UsageError, match=complaint):
        TrainingSettings(**given)


def test_dense_blocks_are_read_as_numbers():
    assert units("6,12,24,16") == (6, 12, 24, 16)
    with pytest.raises(UsageError, match="6,12,24,16"):
        units("six")
