from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesecure.vision.detection.mtcnn_networks import CELL, LARGEST_LEVEL, Pyramid
from support.faces import portrait

lengths = st.integers(1, 9000)


def test_a_face_of_the_smallest_size_fills_one_window_of_the_first_level():
    first = Pyramid.plan(1920, 1080, 40).levels[0]
    assert (first.width, first.height) == (576, 324)
    assert 40 / first.step_x == pytest.approx(CELL)


@given(lengths, lengths, st.floats(1, 400), st.sampled_from((0.5, 0.6, 0.709)))
def test_every_face_from_the_smallest_to_the_whole_picture_meets_a_level_of_its_size(width, height, face, factor):
    levels = Pyramid.plan(width, height, face, factor).levels
    if not levels:
        assert min(width, height) < max(face, CELL) + 1
        return
    sizes = [level.step_x * CELL for level in levels]
    assert sizes == sorted(sizes)
    assert all(later <= earlier / factor * 1.3 for earlier, later in itertools.pairwise(sizes))
    assert min(levels[-1].width, levels[-1].height) == CELL
    for level in levels:
        assert min(level.width, level.height) >= CELL
        assert level.width * level.height <= max(LARGEST_LEVEL * 1.1, CELL * max(width, height))


def test_a_picture_smaller_than_a_face_has_no_levels():
    assert Pyramid.plan(39, 200, 40).levels == ()
    assert Pyramid.plan(1, 1, 40).levels == ()


def test_a_picture_just_as_large_as_a_face_has_one():
    assert len(Pyramid.plan(40, 40, 40).levels) == 1


def test_of_a_huge_picture_only_larger_faces_are_wanted():
    first = Pyramid.plan(12_000, 9_000, 40).levels[0]
    assert first.width * first.height == pytest.approx(LARGEST_LEVEL, rel=0.01)
    assert first.step_x > 40 / CELL


def test_the_pictures_have_the_sizes_planned_and_show_the_same():
    image = portrait("grace_hopper")
    pyramid = Pyramid.plan(image.shape[1], image.shape[0], 20)
    pictures = list(pyramid.images(image))
    assert len(pictures) == len(pyramid.levels) > 3
    for level, picture in pictures:
        assert picture.shape == (level.height, level.width, 3)
        np.testing.assert_allclose(picture.mean((0, 1)), image.mean((0, 1)), atol=3)
