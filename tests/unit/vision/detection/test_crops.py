from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesecure.vision.detection.boxes import cut, shrink, whole_pixels
from support.faces import portrait

RAMP = np.repeat(np.arange(200, dtype=np.uint8)[None, :, None], 100, 0).repeat(3, 2)


@pytest.mark.parametrize("size", [(512, 600), (511, 599), (256, 300), (180, 211), (48, 48), (24, 30)])
def test_shrinking_is_as_good_as_averaging_over_areas(size):
    image = portrait("grace_hopper")
    ours = shrink(image, *size).astype(float)
    averaged = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(float)
    assert ours.shape == (size[1], size[0], 3)
    assert np.abs(ours - averaged).mean() < 6


def test_a_picture_of_that_size_is_handed_back_as_it_is():
    assert shrink(RAMP, 200, 100) is RAMP


def test_fine_stripes_become_their_mean_and_no_coarse_ones():
    stripes = np.zeros((640, 640, 3), np.uint8)
    stripes[:, ::2] = 200
    small = shrink(stripes, 90, 90)
    assert np.abs(small.astype(int) - 100).max() <= 3


def test_a_crop_is_what_the_square_holds():
    (crop,) = cut(RAMP, np.array([[20, 10, 44, 34]]), 24)
    assert np.array_equal(crop, RAMP[10:34, 20:44])


@pytest.mark.parametrize(
    ("square", "inside"),
    [
        ((-12, -12, 12, 12), np.s_[12:, 12:]),
        ((188, 88, 212, 112), np.s_[:12, :12]),
        ((-30, 0, -6, 24), np.s_[:0, :0]),
        ((300, 300, 324, 324), np.s_[:0, :0]),
    ],
)
def test_what_lies_outside_is_black(square, inside):
    (crop,) = cut(RAMP + 1, np.array([square]), 24)
    outside = np.ones((24, 24), bool)
    outside[inside] = False
    assert not crop[outside].any()
    assert crop[~outside].all()


def test_no_squares_give_no_crops():
    assert cut(RAMP, np.empty((0, 4), np.intp), 24).shape == (0, 24, 24, 3)


@given(st.floats(-50, 500, width=32), st.floats(-50, 500, width=32), st.floats(0.125, 300, width=32))
def test_squares_on_the_grid_stay_square_and_within_a_pixel(left, top, side):
    square = np.array([[left, top, left + side, top + side]], np.float32)
    ((x0, y0, x1, y1),) = whole_pixels(square)
    assert x1 - x0 == y1 - y0 >= 1
    assert max(abs(x0 - left), abs(y0 - top), abs(x1 - left - side), abs(y1 - top - side)) <= 1.01
