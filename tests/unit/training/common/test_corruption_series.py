"""Each corruption does its own thing, more with every step, and nothing where it says so."""

import cv2
import numpy as np
import pytest

from facesecure_training.common.corruption_series import CORRUPTION_SERIES
from support.training.tiny_networks import portrait_crop

CROP = portrait_crop()


def detail(crop: np.ndarray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


def away(kind: str, strength: float) -> float:
    return float(np.abs(CORRUPTION_SERIES[kind].corruption(CROP, strength).astype(float) - CROP).mean())


@pytest.mark.parametrize("kind", CORRUPTION_SERIES)
def test_the_untouched_step_is_among_them_and_changes_nothing(kind):
    series = CORRUPTION_SERIES[kind]
    assert series.untouched in series.strengths
    assert away(kind, series.untouched) < 0.6


@pytest.mark.parametrize("kind", CORRUPTION_SERIES)
def test_farther_from_untouched_is_farther_from_the_crop(kind):
    series = CORRUPTION_SERIES[kind]
    below = [away(kind, step) for step in series.strengths if step <= series.untouched]
    above = [away(kind, step) for step in series.strengths if step >= series.untouched]
    assert below == sorted(below, reverse=True)
    assert above == sorted(above)


@pytest.mark.parametrize("kind", CORRUPTION_SERIES)
def test_a_corrupted_crop_has_the_shape_and_type_of_the_crop(kind):
    corrupted = CORRUPTION_SERIES[kind].corruption(CROP, CORRUPTION_SERIES[kind].strengths[-1])
    assert (corrupted.shape, corrupted.dtype) == (CROP.shape, np.uint8)


def test_half_the_light_is_half_the_mean_and_half_the_contrast_half_the_spread():
    assert CORRUPTION_SERIES["brightness"].corruption(CROP, 0.5).mean() == pytest.approx(CROP.mean() / 2, abs=1)
    assert CORRUPTION_SERIES["contrast"].corruption(CROP, 0.5).std((0, 1)) == pytest.approx(
        CROP.std((0, 1)) / 2, rel=0.05
    )


@pytest.mark.parametrize(("kind", "step"), [("size", 0.2), ("blur", 0.05)])
def test_from_afar_and_out_of_focus_detail_is_lost(kind, step):
    assert detail(CORRUPTION_SERIES[kind].corruption(CROP, step)) < detail(CROP) / 4


@pytest.mark.parametrize(
    ("kind", "covered", "free"),
    [("glasses", (0.46, 0.34), (0.82, 0.5)), ("hat", (0.1, 0.5), (0.46, 0.34)), ("scarf", (0.82, 0.5), (0.46, 0.34))],
)
def test_what_is_worn_covers_its_part_of_the_face_and_no_other(kind, covered, free):
    crop = np.full((112, 112, 3), 200, np.uint8)
    worn = CORRUPTION_SERIES[kind].corruption(crop, CORRUPTION_SERIES[kind].strengths[-1])
    at = {place: worn[round(place[0] * 112), round(place[1] * 112)].max() for place in (covered, free)}
    assert (at[covered] < 60, at[free]) == (True, 200)
