"""A mask holds for faces as it does for movement."""

import pytest

from facesecure.domain import Box, Face
from facesecure.vision.detection.face_mask import FaceMask
from support.builders import face_at

SIZE = (1000, 500)


def counted(mask: list[tuple[float, float, float, float]], *faces: Face) -> list[Box]:
    return [face.box for face in FaceMask(mask).outside(faces, SIZE)]


def test_without_a_mask_every_face_counts():
    face = face_at(500, 250)
    assert counted([], face) == [face.box]


def test_a_face_inside_the_mask_does_not_count_and_the_others_keep_their_order():
    left, inside, right = face_at(900, 250, 80), face_at(200, 250, 60), face_at(700, 250, 40)
    assert counted([(0.1, 0.2, 0.4, 0.8)], left, inside, right) == [left.box, right.box]


@pytest.mark.parametrize(("x", "counts"), [(309, True), (291, False)])
def test_most_of_the_box_decides_at_the_edge(x, counts):
    assert bool(counted([(0.0, 0.0, 0.3, 1.0)], face_at(x, 250))) is counts


def test_a_near_face_before_a_narrow_masked_road_counts():
    face = face_at(500, 250, 200)
    assert counted([(0.0, 0.45, 1.0, 0.6)], face) == [face.box]  # 75 of its 200 pixels


def test_rectangles_add_up_and_overlaps_count_once():
    face = face_at(500, 250, 100)
    halves = [(0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 0.53, 1.0)]
    assert counted(halves, face) == []
    assert counted([(0.0, 0.0, 0.48, 1.0), (0.0, 0.0, 0.49, 1.0)], face) == [face.box]


def test_a_mask_over_the_whole_image_leaves_no_face_that_is_mostly_in_it():
    assert counted([(0.0, 0.0, 1.0, 1.0)], face_at(20, 20, 60), face_at(500, 250), face_at(990, 490, 20)) == []


def test_an_empty_rectangle_masks_nothing():
    assert len(counted([(0.5, 0.5, 0.5, 0.5), (0.9, 0.1, 0.1, 0.9)], face_at(500, 250))) == 1
