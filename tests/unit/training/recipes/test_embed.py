"""A student of the bundled network: what it learns from some images holds for others."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure.vision.images.illumination import brightened
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.recipes.settings import EmbedderSettings
from support.training.class_folders import rendered
from support.training.datasets import class_folder

pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")

STEPS = 40


def recipe(folders: tuple[ClassFolder, ClassFolder], **settings):
    from facesecure_training.networks.embedder import embedder
    from facesecure_training.recipes.embed import EmbedderTraining

    tf.keras.utils.set_random_seed(2)
    chosen = EmbedderSettings(**{"size": 112, "embedding": 192, "augment": "none", "pairs": 8, "batch": 8, **settings})
    network = embedder(chosen.embedding, width=0.125, side=chosen.size, activation="relu", stages=((2, 64, 1, 4),))
    return EmbedderTraining(network, folders, chosen)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[ClassFolder, ClassFolder]:
    """Training data and, of the same two people, other images."""
    root = tmp_path_factory.mktemp("faces")
    several = (("learnt", 16, 1), ("unseen", 8, 2))
    learnt, unseen = (ClassFolder.read(rendered(root / name, each, 112, seed)) for name, each, seed in several)
    return learnt, unseen


@pytest.mark.slow
def test_distilled_it_puts_faces_it_never_saw_nearer_to_where_the_bundled_network_puts_them(folders, tmp_path):
    from facesecure_training.recipes.loop import TrainingLoop
    from facesecure_training.recipes.optimizers.cycled_adam import CycledAdam
    from facesecure_training.recipes.run_folder import RunFolder
    from facesecure_training.recipes.training_log import TrainingLog

    training, unseen = recipe(folders, distil=1.0), folders[1]
    pictures = np.stack([tf.io.decode_image(tf.io.read_file(str(file))).numpy() for file in unseen.files])
    wanted, person = training._teacher(pictures).numpy(), np.array(unseen.labels)

    def cosines() -> np.ndarray:
        return training.network(pictures, training=False).numpy() @ wanted.T

    before = cosines().diagonal().mean()
    training.steps = STEPS
    with TrainingLog(training, RunFolder(tmp_path), epochs=1) as record:
        loop = TrainingLoop(record, CycledAdam(0.01))
        for batch in training.batches(0):
            loop.step(batch)
    after = cosines()
    assert after.diagonal().mean() > before + 0.4
    own, other = after[person[:, None] == person].mean(), after[person[:, None] != person].mean()
    assert own > other + 0.3, "it learnt what all faces share, and no more"


def test_it_is_training_and_judged_by_faces_brightened_as_the_daemon_does_it(tmp_path):
    for file in rendered(tmp_path, 4, 112).rglob("*.png"):
        cv2.imwrite(str(file), (cv2.imread(str(file)) * 0.1).astype(np.uint8))
    dark = ClassFolder.read(tmp_path)
    training, seen = recipe((dark, dark)), []
    wanted = {brightened(cv2.imread(str(file))[:, :, ::-1].copy()).tobytes() for file in dark.files}
    assert {picture.tobytes() for picture in training.images()} <= wanted
    training._embedded = lambda pictures: (seen.extend(pictures.numpy()), training.network(pictures))[1]
    training.validate()
    assert {picture.tobytes() for picture in seen} <= wanted


def test_people_held_out_have_no_place_among_those_it_learns(tmp_path):
    found = ClassFolder.read(class_folder(tmp_path, dict.fromkeys("abcdef", 2)))
    parts = found.split(1, {"train": 0.7, "validation": 0.3}, by="class")
    training = recipe((parts["train"], parts["validation"]))
    learnt = sum(map(bool, parts["train"].counts().values()))
    assert training.trained.output[1].shape == (None, learnt)
    labels = np.concatenate([labels.numpy() for _, labels in training.batches(0)])
    assert sorted(labels) == sorted([*range(learnt)] * 2)


def test_a_pupil_of_another_shape_than_the_teachers_is_refused(folders):
    with pytest.raises(UsageError, match="another shape") as raised:
        recipe(folders, distil=0.5, embedding=64)
    assert "--size 112 --embedding 192" in raised.value.hint
