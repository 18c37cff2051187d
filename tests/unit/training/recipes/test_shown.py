"""What a network is taught that stands on embeddings is what the daemon would show it."""

from __future__ import annotations

import numpy as np
import pytest

from facesecure.vision.images.illumination import brightened
from facesecure_training.recipes.augment import PRESETS, augment, with_brightening
from support.faces import portrait, scaled

pytestmark = pytest.mark.tensorflow
pytest.importorskip("tensorflow", reason="needs the [training] extra")
LIT = np.ascontiguousarray(scaled(portrait(), 0.25)[:112, :112])
DARK = (LIT * 0.15).astype(np.uint8)


def test_a_dark_face_is_brightened_as_the_daemon_does_it_and_a_lit_one_is_left_as_it_is():
    assert brightened(DARK).mean() > DARK.mean() + 20
    assert (with_brightening(None)(DARK, (1, 2)).numpy() == brightened(DARK)).all()
    assert (with_brightening(None)(LIT, (1, 2)).numpy() == LIT).all()


def test_what_the_camera_does_comes_first():
    harder = augment(PRESETS["aligned"])
    for seed in range(6):
        wanted = brightened(harder(LIT, (seed, 0)).numpy())
        assert (with_brightening(harder)(LIT, (seed, 0)).numpy() == wanted).all()
