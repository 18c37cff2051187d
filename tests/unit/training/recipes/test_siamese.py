"""A siamese network is trained and validated on what the daemon would show it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facesecure.vision.images.illumination import brightened
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.recipes.settings import SiameseSettings
from support.training.class_folders import rendered

pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
tf = pytest.importorskip("tensorflow", reason="needs the [training] extra")


def test_pairs_are_brightened_as_the_daemon_does_it(tmp_path):
    from facesecure_training.networks.densenet import densenet
    from facesecure_training.recipes.siamese import SiameseTraining

    for file in rendered(tmp_path, 4, 32).rglob("*.png"):
        cv2.imwrite(str(file), (cv2.imread(str(file)) * 0.1).astype(np.uint8))
    dark, seen = ClassFolder.read(tmp_path), []
    network = densenet((1, 1), growth=4, embedding=4, side=32)
    training = SiameseTraining(network, (dark, dark), SiameseSettings(size=32, batch=8, pairs=16, augment="none"))
    wanted = {brightened(cv2.imread(str(file))[:, :, ::-1].copy()).tobytes() for file in dark.files}
    assert {picture.tobytes() for picture in training.images()} <= wanted
    training._distances = lambda pairs: (
        seen.extend(np.concatenate([one.numpy() for one in pairs])),
        training.trained(pairs),
    )[1]
    training.validate()
    assert seen
    assert {picture.tobytes() for picture in seen} <= wanted
