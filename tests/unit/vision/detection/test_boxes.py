from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from facesecure.vision.detection.boxes import areas, overlaps, shifted, squared, strongest, suppress, usable

sides = st.floats(1, 200, width=32)
corners = st.floats(-100, 500, width=32)


@st.composite
def boxes(draw, most: int = 12) -> np.ndarray:
    count = draw(st.integers(0, most))
    rows = [(draw(corners), draw(corners), draw(sides), draw(sides)) for _ in range(count)]
    found = np.array(rows, np.float32).reshape(count, 4)
    return np.hstack((found[:, :2], found[:, :2] + found[:, 2:]))


@st.composite
def scored(draw) -> tuple[np.ndarray, np.ndarray]:
    found = draw(boxes())
    return found, draw(arrays(np.float32, len(found), elements=st.floats(0, 1, width=32)))


def test_overlap_of_known_boxes():
    here = np.array([[0, 0, 10, 10]], np.float32)
    there = np.array([[5, 0, 15, 10], [2, 2, 4, 4], [20, 20, 30, 30]], np.float32)
    np.testing.assert_allclose(overlaps(here, there), [[50 / 150, 4 / 100, 0]], rtol=1e-6)
    np.testing.assert_allclose(overlaps(here, there, of_smaller=True), [[0.5, 1, 0]], rtol=1e-6)


def test_boxes_without_area_overlap_nothing():
    flat = np.array([[0, 0, 0, 10], [5, 5, 3, 3]], np.float32)
    assert not overlaps(flat, flat).any()
    assert not overlaps(flat, flat, of_smaller=True).any()
    assert not areas(flat).any()


@given(boxes(), boxes())
def test_overlap_is_mutual_and_a_share(first, second):
    forth, back = overlaps(first, second), overlaps(second, first)
    np.testing.assert_allclose(forth, back.T, atol=1e-6)
    assert forth.shape == (len(first), len(second))
    assert ((forth >= 0) & (forth <= 1 + 1e-5)).all()
    assert (overlaps(first, second, of_smaller=True) >= forth - 1e-5).all()


@given(scored(), st.floats(0.1, 0.9))
def test_what_is_suppressed_overlaps_something_better_that_stays(case, threshold):
    found, scores = case
    stay = suppress(found, scores, threshold)
    shared = overlaps(found, found)
    assert (np.diff(scores[stay]) <= 0).all()
    assert not (np.triu(shared[np.ix_(stay, stay)], 1) > threshold).any()
    for gone in set(range(len(found))) - set(stay.tolist()):
        assert any(shared[gone, kept] > threshold and scores[kept] >= scores[gone] for kept in stay)


@given(scored())
def test_suppression_of_what_is_left_changes_nothing(case):
    found, scores = case
    stay = suppress(found, scores, 0.5)
    again = suppress(found[stay], scores[stay], 0.5)
    assert len(again) == len(stay)


def test_a_box_overlapped_only_by_a_suppressed_one_stays():
    chain = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], np.float32)
    assert suppress(chain, np.array([0.9, 0.8, 0.7], np.float32), 0.4).tolist() == [0, 2]


def test_equal_scores_keep_the_order_given():
    twins = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [50, 0, 60, 10]], np.float32)
    assert suppress(twins, np.full(3, 0.5, np.float32), 0.5).tolist() == [0, 2]
    assert strongest(np.full(3, 0.5, np.float32), 2).tolist() == [0, 1]


@given(boxes())
def test_no_shift_moves_nothing(found):
    np.testing.assert_array_equal(shifted(found, np.zeros_like(found)), found)


def test_a_shift_counts_in_widths_and_heights():
    box = np.array([[10, 20, 30, 60]], np.float32)
    offsets = np.array([[0.1, -0.1, 0.5, 0.25]], np.float32)
    np.testing.assert_allclose(shifted(box, offsets), [[12, 16, 40, 70]])


@given(boxes(), st.floats(0.5, 2))
def test_squares_are_square_around_the_same_centre(found, enlarge):
    square = squared(found, enlarge)
    widths, heights = square[:, 2] - square[:, 0], square[:, 3] - square[:, 1]
    longer = np.maximum(found[:, 2] - found[:, 0], found[:, 3] - found[:, 1])
    np.testing.assert_allclose(widths, heights, atol=1e-2)
    np.testing.assert_allclose(widths, longer * enlarge, atol=1e-2)
    np.testing.assert_allclose(square[:, :2] + square[:, 2:], found[:, :2] + found[:, 2:], atol=1e-2)


def test_boxes_outside_the_picture_or_without_a_number_are_not_usable():
    found = np.array(
        [[0, 0, 10, 10], [-30, 0, -10, 10], [90, 90, 130, 130], [5, 5, 5.5, 9], [np.nan, 0, 9, 9]], np.float32
    )
    assert usable(found, 100, 100).tolist() == [True, False, False, False, False]
    assert usable(found, 120, 120).tolist() == [True, False, True, False, False]
