"""A mask holds for faces as it does for movement."""

import pytest

from facesecure.config.areas import Area
from facesecure.domain import Box, Face
from facesecure.vision.detection.face_mask import FaceMask
from support.builders import face_at

SIZE = (1000, 500)


def counted(mask: list[Area], *faces: Face) -> list[Box]:
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


def test_a_face_outside_all_zones_does_not_count():
    door, gate = face_at(300, 250), face_at(800, 250)
    mask = FaceMask(zones=[(0.0, 0.0, 0.5, 1.0), [(0.5, 0.0), (0.6, 0.0), (0.5, 1.0)]])
    assert list(mask.outside([gate, door], SIZE)) == [door]


def test_a_face_in_a_zone_counts_unless_most_of_it_is_masked():
    zone = [(0.1, 0.0), (0.9, 0.0), (0.9, 1.0), (0.1, 1.0)]
    street = [(0.0, 0.4), (1.0, 0.3), (1.0, 0.5), (0.0, 0.6)]  # slants through the zone, 100 pixels high
    near, far = face_at(500, 225, 250), face_at(500, 225, 60)
    assert list(FaceMask([street], [zone]).outside([near, far], SIZE)) == [near]


def test_a_face_in_the_notch_of_a_concave_mask_counts():
    house = [(0.0, 0.0), (0.2, 0.0), (0.2, 0.8), (0.8, 0.8), (0.8, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    doorway, roof = face_at(500, 200, 100), face_at(500, 460, 60)
    assert counted([house], doorway, roof) == [doorway.box]


def test_faces_that_are_too_small_for_the_camera_do_not_count() -> None:
    small, large = face_at(100, 100, 40), face_at(300, 200, 80)
    assert list(FaceMask(min_face=60).outside([small, large], SIZE)) == [large]
    assert list(FaceMask(min_face=44).outside([small, large], SIZE)) == [small, large]
    assert list(FaceMask().outside([small, large], SIZE)) == [small, large]
