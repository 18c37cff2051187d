"""A student of the bundled network: its views are made once, survive an interruption, and it follows them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.recipes.augment import preset
from facesecure_training.recipes.settings import SiameseSettings
from facesecure_training.recipes.teacher_views import TeacherViews, ViewSettings, mixed, projection
from support.training.class_folders import rendered

pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> ClassFolder:
    return ClassFolder.read(rendered(tmp_path_factory.mktemp("faces"), 4, 112))


def views(faces: ClassFolder, folder, number: int = 20) -> TeacherViews:
    return TeacherViews(faces.files, ViewSettings(number, 32, preset("jittered"), 1), folder)


@pytest.mark.slow
def test_views_that_were_interrupted_continue_and_are_those_of_an_uninterrupted_preparation(
    faces, tmp_path, monkeypatch
):
    whole = views(faces, tmp_path / "whole")
    whole.prepare(threads=2)
    cut = views(faces, tmp_path / "cut")
    make, chunks = TeacherViews._chunk, []

    def some(self, begin: int) -> None:
        if len(chunks) == 1:
            raise KeyboardInterrupt
        chunks.append(begin)
        make(self, begin)

    monkeypatch.setattr(TeacherViews, "_chunk", some)
    with pytest.raises(KeyboardInterrupt):
        cut.prepare(threads=1)
    monkeypatch.setattr(TeacherViews, "_chunk", make)
    views(faces, tmp_path / "cut").prepare(threads=1)
    again = views(faces, tmp_path / "cut")
    assert again.count == 20 * len(faces.files)
    assert (np.asarray(again.pictures) == np.asarray(whole.pictures)).all()
    assert np.asarray(again.answers) == pytest.approx(np.asarray(whole.answers), abs=1e-5)
    assert np.linalg.norm(again.answers, axis=1) == pytest.approx(1, abs=1e-3)


def test_views_of_which_a_file_was_lost_are_made_again(faces, tmp_path):
    made = views(faces, tmp_path, number=1)
    made.prepare(threads=1)
    wanted = np.array(made.answers)
    (made.folder / "pictures.npy").unlink()
    again = views(faces, tmp_path, number=1)
    assert not np.asarray(again.pictures).any()
    again.prepare(threads=1)
    assert np.asarray(again.pictures).any(axis=(1, 2, 3)).all()
    assert np.asarray(again.answers) == pytest.approx(wanted, abs=1e-5)


def test_a_full_disk_is_said_before_anything_is_made(faces, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(FacesecureError, match="No space left on device") as caught:
        views(faces, tmp_path, number=1)
    assert "fewer --views" in str(caught.value.hint)


def test_a_mixed_face_lies_between_the_two_it_is_made_of():
    light, dark = np.full((112, 112, 3), 200, np.uint8), np.full((112, 112, 3), 40, np.uint8)
    made = [mixed(light, dark, np.random.default_rng(seed)) for seed in range(8)]
    assert all(one.min() >= 40 and one.max() <= 200 and 41 < one.mean() < 199 for one in made)


def test_the_projection_keeps_the_cosines_that_the_answers_have():
    few = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32) @ np.eye(3, 12, dtype=np.float32)
    kept = few @ projection(few, 3)
    assert kept @ kept.T == pytest.approx(few @ few.T, abs=1e-3)


@pytest.mark.slow
def test_a_student_follows_the_teacher(faces, tmp_path):
    tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")
    from facesecure_training.networks.densenet import densenet
    from facesecure_training.recipes.distil import DistilTraining
    from facesecure_training.recipes.loop import TrainingLoop
    from facesecure_training.recipes.optimizers.cycled_adam import CycledAdam
    from facesecure_training.recipes.run_folder import RunFolder
    from facesecure_training.recipes.training_log import TrainingLog

    tf.keras.utils.set_random_seed(1)
    settings = SiameseSettings(objective="distil", size=32, batch=8, pairs=16, augment="jittered", views=20, seed=1)
    network = densenet((1, 1), growth=8, embedding=4, side=32, normalise=True)
    with pytest.raises(UsageError, match="--cache"):
        DistilTraining(network, (faces, faces), settings)
    training = DistilTraining(network, (faces, faces), replace(settings, cache=tmp_path))
    batches = list(training.batches(0))
    before = np.concatenate([training.losses(batch).numpy() for batch in batches]).mean()
    with TrainingLog(training, RunFolder(tmp_path), epochs=1) as record:
        loop = TrainingLoop(record, CycledAdam(0.01))
        for batch in batches:
            loop.step(batch)
    after = np.concatenate([training.losses(batch).numpy() for batch in batches]).mean()
    assert after < 0.5 * before
    assert set(training.validate()) == {"val_auc", "val_accuracy"}
