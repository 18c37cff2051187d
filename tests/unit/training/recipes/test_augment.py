"""Pictures made harder: by their own seed, in the way that was asked for, and no more than that."""

from __future__ import annotations

import numpy as np
import pytest

from facesecure.domain.errors import UsageError
from facesecure.vision.images.illumination import brightened
from facesecure_training.recipes.augment import PRESETS, augment, preset, with_brightening
from facesecure_training.recipes.image_changes import Augmentation, change
from support.faces import portrait, scaled

FACE = scaled(portrait(), 0.125)[:64, :64]
LIT = np.ascontiguousarray(scaled(portrait(), 0.25)[:112, :112])
DARK = (LIT * 0.15).astype(np.uint8)
SEED = np.array([1, 2], np.int32)


def changed(augmentation: Augmentation, seed: int) -> np.ndarray:
    return change(FACE, augmentation, (seed, 0))


def several(count: int = 12, **strengths: float) -> list[np.ndarray]:
    return [changed(Augmentation(**strengths), seed) for seed in range(count)]


def sharpness(image: np.ndarray) -> float:
    return float(np.abs(np.diff(image.astype(float), axis=1)).mean())


def test_a_picture_changes_by_its_seed_and_by_nothing_else():
    door = PRESETS["door"]
    assert (changed(door, 5) == changed(door, 5)).all()
    assert (changed(door, 5) != changed(door, 6)).any()
    assert changed(door, 5).dtype == np.uint8
    assert changed(door, 5).shape == FACE.shape


def test_no_strength_leaves_every_pixel_as_it_was():
    assert augment(preset("none")) is None
    assert (changed(Augmentation(), 3) == FACE).all()
    assert (changed(preset("door", 0.0), 1) == FACE).all() or (changed(preset("door", 0.0), 1) == FACE[:, ::-1]).all()


def test_half_of_the_pictures_keep_their_light_and_the_others_get_more_of_it_or_less():
    means = [image.mean() for image in several(light=1.0)]
    assert 2 <= sum(abs(mean - FACE.mean()) < 1 for mean in means) <= 10
    assert min(means) < FACE.mean() - 10
    assert max(means) > FACE.mean() + 10


def test_backlight_takes_from_one_side_what_it_gives_to_the_other():
    slopes = [(image / np.maximum(FACE, 1.0)) for image in several(backlight=0.6)]
    halves = [abs(one[:, :32].mean() - one[:, 32:].mean()) + abs(one[:32].mean() - one[32:].mean()) for one in slopes]
    assert max(halves) > 0.2


@pytest.mark.parametrize("effect", [{"blur": 0.05}, {"low_resolution": 4.0}])
def test_blur_and_distance_take_detail_and_leave_the_light(effect):
    softest = min(several(**effect), key=sharpness)
    assert sharpness(softest) < 0.7 * sharpness(FACE)
    assert softest.mean() == pytest.approx(FACE.mean(), abs=3)


def test_noise_is_as_strong_as_was_said_at_most():
    spreads = [(image.astype(float) - FACE).std() for image in several(noise=10.0)]
    assert 4 < max(spreads) < 10.5
    assert min(spreads) == 0


def test_jpeg_of_poor_quality_leaves_its_blocks():
    worst = max(several(jpeg=90.0), key=lambda image: np.abs(image.astype(float) - FACE).mean())
    assert np.abs(worst.astype(float) - FACE).mean() > 3


def test_gamma_bends_the_middle_and_keeps_black_and_white():
    ramp = np.repeat(np.arange(0, 256, 4, dtype=np.uint8)[None, :, None], 64, 0).repeat(3, 2)
    ends = [change(ramp, Augmentation(gamma=0.7), (seed, 0)) for seed in range(8)]
    assert max(abs(float(one[0, 32, 0]) - 128) for one in ends) > 15
    assert all(one[0, 0, 0] == 0 for one in ends)


def test_turning_by_no_more_than_was_said_keeps_the_middle_where_it_is():
    dot = np.zeros((65, 65, 3), np.uint8)
    dot[30:35, 30:35] = 255
    for seed in range(6):
        turned = change(dot, Augmentation(rotation=30.0, zoom=0.2), (seed, 0))
        assert turned[32, 32, 0] > 250


def test_a_shift_moves_by_the_share_of_the_side_that_was_said_and_repeats_the_rim():
    half = np.zeros((64, 64, 3), np.uint8)
    half[:, 32:] = 200
    edges = [int(np.argmax(one[32, :, 0] > 100)) for one in
             (change(half, Augmentation(shift=0.25), (seed, 0)) for seed in range(16))]  # fmt: skip
    assert max(edges) - min(edges) > 10
    assert all(15 <= edge <= 49 for edge in edges)


def test_mirrored_is_mirrored():
    images = several(flip=0.5)
    assert any((image == FACE[:, ::-1]).all() for image in images)
    assert any((image == FACE).all() for image in images)


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match="none, report, door, aligned"):
        preset("fog")


def test_a_dark_face_is_brightened_as_the_daemon_does_it_and_a_lit_one_is_left_as_it_is():
    assert brightened(DARK).mean() > DARK.mean() + 20
    assert (with_brightening(None)(DARK, SEED) == brightened(DARK)).all()
    assert (with_brightening(None)(LIT, SEED) == LIT).all()


def test_what_the_camera_does_comes_first():
    harder = augment(PRESETS["aligned"])
    for seed in range(6):
        numbers = np.array([seed, 0], np.int32)
        assert (with_brightening(harder)(LIT, numbers) == brightened(harder(LIT, numbers))).all()
