"""A run is resumed with the images it began with, and with no others."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace
from typing import Any

import pytest

from facesecure.domain.errors import UsageError
from facesecure_training.recipes.data import dataset_counts, training_and_validation
from facesecure_training.recipes.registry import KINDS
from facesecure_training.recipes.run_images import described, refuse_changed
from facesecure_training.recipes.settings import CompactSettings
from support.training.class_folders import rendered


@pytest.fixture
def faces(tmp_path):
    return rendered(tmp_path / "faces", 8, side=24)


def recipe(faces) -> Any:
    """What a recipe says of the images in ``faces``."""
    training, validation = training_and_validation(CompactSettings(data=faces))
    facts = {"classes": list(training.classes), **dataset_counts(training, validation)}
    return SimpleNamespace(training_data=training, validation_data=validation, facts=facts)


def recorded(faces) -> dict[str, Any]:
    """The config.json of a run that begins now."""
    return dict(json.loads(json.dumps(described(recipe(faces)))))


def renamed(faces) -> None:
    """Have the first class become the last, as when a folder is named after another person."""
    (faces / "eileen_collins").rename(faces / "zoe")


def swapped(faces) -> None:
    """Have an image take the name of another that was removed, which leaves every number as it was."""
    (faces / "grace_hopper" / "003.png").rename(faces / "grace_hopper" / "103.png")


def removed(faces) -> None:
    (faces / "grace_hopper" / "003.png").unlink()


def copied(faces) -> None:
    """Have the same images lie there anew, as after a backup was put back."""
    shutil.copytree(faces, faces.with_name("copy"))
    shutil.rmtree(faces)
    faces.with_name("copy").rename(faces)


def test_the_same_images_are_resumed(faces):
    before = recorded(faces)
    copied(faces)
    assert recorded(faces) == before
    refuse_changed(before, recipe(faces))


@pytest.mark.parametrize("change", [renamed, swapped, removed])
def test_other_images_are_refused(faces, change):
    before = recorded(faces)
    change(faces)
    with pytest.raises(UsageError, match="changed since the run began") as error:
        refuse_changed(before, recipe(faces))
    assert str(faces) in error.value.message
    assert "--out" in error.value.hint


@pytest.mark.parametrize(("change", "refused"), [(renamed, True), (removed, True), (swapped, False)])
def test_a_run_of_an_older_version_is_compared_by_what_it_recorded(faces, change, refused):
    before = {name: value for name, value in recorded(faces).items() if name != "files"}
    refuse_changed(before, recipe(faces))
    change(faces)
    if refused:
        with pytest.raises(UsageError, match="changed since the run began"):
            refuse_changed(before, recipe(faces))
    else:
        refuse_changed(before, recipe(faces))


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_training_does_not_go_on_under_other_names(faces, tmp_path):
    pytest.importorskip("tensorflow", reason="needs the [training] extra")
    from facesecure_training.recipes.run_folder import RunFolder
    from facesecure_training.recipes.train import train

    settings = KINDS["compact"].settings(data=faces, kind="cnn", size=32, width=0.1, epochs=1, schedule="constant")
    train("compact", settings, RunFolder(tmp_path / "run"))
    assert train("compact", settings, RunFolder(tmp_path / "run"), resume=True).finished == "all epochs done"
    renamed(faces)
    with pytest.raises(UsageError, match="changed since the run began"):
        train("compact", settings, RunFolder(tmp_path / "run"), resume=True)
