import numpy as np
import pytest

from facesecure.vision.images import align
from facesecure_training.common.corruptions import backlight, corrupted_crop


@pytest.fixture
def picture():
    rng = np.random.default_rng(4)
    return rng.integers(0, 255, (300, 300, 3), np.uint8), (align.TEMPLATE * 2 + 30).astype(np.float32)


def test_what_comes_out_is_an_aligned_crop(picture):
    crop = corrupted_crop(*picture, np.random.default_rng(1))
    assert crop.shape == (112, 112, 3)
    assert crop.dtype == np.uint8


def test_chance_decides_and_the_same_chance_decides_alike(picture):
    crops = [corrupted_crop(*picture, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(crops[0], crops[1])
    assert not np.array_equal(crops[0], crops[2])


def test_every_mishap_happens_and_the_picture_itself_is_left_alone(picture):
    image, landmarks = picture
    before = image.copy(), landmarks.copy()
    contrasts = [corrupted_crop(image, landmarks, np.random.default_rng(seed)).std() for seed in range(40)]
    assert min(contrasts) < 0.5 * max(contrasts)
    assert np.array_equal(image, before[0])
    assert np.array_equal(landmarks, before[1])


def test_light_from_behind_darkens_the_middle_and_brightens_the_rim():
    grey = np.full((41, 41, 3), 100, np.uint8)
    lit = backlight(grey, 0.6)
    assert lit[20, 20, 0] == 40
    assert lit[0, 0, 0] == 160
    assert np.array_equal(backlight(grey, 0.0), grey)
