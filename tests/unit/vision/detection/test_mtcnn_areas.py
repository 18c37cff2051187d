from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from facesecure.domain import Box, Face, Image
from facesecure.vision.detection.mtcnn import Mtcnn, MtcnnModels
from facesecure.vision.detection.mtcnn_areas import SIDES, Tiling
from facesecure.vision.detection.mtcnn_networks import OVERLAP, Level
from facesecure.vision.detection.search_areas import SearchArea
from facesecure.vision.inference.model_card import load_model
from support.faces import on_canvas, only, portrait, scaled

LEVEL = Level(576, 324, 3.33, 3.33)
EVERYWHERE = SearchArea(Box(0, 0, 1280, 720))


@pytest.fixture(scope="module")
def mtcnn() -> Mtcnn:
    return Mtcnn(MtcnnModels(load_model("pnet"), load_model("rnet"), load_model("onet")))


@pytest.fixture(scope="module")
def two_people() -> Image:
    image = on_canvas(scaled(portrait(), 0.6), 80, 200, width=1280, height=720)
    other = scaled(portrait("grace_hopper"), 0.4)
    image[300 : 300 + other.shape[0], 900 : 900 + other.shape[1]] = other
    return image


@pytest.fixture(scope="module")
def faces(mtcnn: Mtcnn, two_people: Image) -> list[Face]:
    found = mtcnn.detect(two_people)
    assert len(found) == 2
    return found


def test_searching_everywhere_in_areas_finds_what_searching_the_image_finds(mtcnn, two_people, faces):
    found = mtcnn.detect_in(two_people, [EVERYWHERE])
    assert [_centre(face) for face in found] == [pytest.approx(_centre(face), abs=4) for face in faces]


def test_only_faces_in_the_areas_are_found(mtcnn, two_people, faces):
    left, right = sorted(faces, key=lambda face: face.box.left)
    assert _centre(only(mtcnn.detect_in(two_people, [SearchArea(Box(0, 100, 500, 720))]))) == pytest.approx(
        _centre(left), abs=4
    )
    assert _centre(only(mtcnn.detect_in(two_people, [SearchArea.near(right.box)]))) == pytest.approx(
        _centre(right), abs=4
    )
    assert mtcnn.detect_in(two_people, [SearchArea(Box(600, 0, 760, 160))]) == []


def test_without_an_area_there_is_no_face(mtcnn, two_people):
    assert mtcnn.detect_in(two_people, []) == []


def test_a_face_in_several_areas_is_found_once(mtcnn, two_people, faces):
    areas = [SearchArea.near(face.box) for face in faces]
    assert len(mtcnn.detect_in(two_people, [EVERYWHERE, *areas, *areas])) == 2


@pytest.mark.parametrize(("across", "down", "growth"), list(product((-0.5, 0.5), (-0.3, 0.3), (0.85, 1.3))))
def test_a_face_is_found_near_where_it_was_expected(mtcnn, two_people, faces, across, down, growth):
    for face in faces:
        (x, y), size = face.box.centre, (face.box.width + face.box.height) / 2
        x, y, half = x + across * size, y + down * size, size / growth / 2
        found = mtcnn.detect_in(two_people, [SearchArea.near(Box(x - half, y - half, x + half, y + half))])
        assert any(_centre(one) == pytest.approx(_centre(face), abs=4) for one in found)


def test_an_area_at_the_edge_of_the_image_is_searched_to_the_edge(mtcnn):
    close = np.ascontiguousarray(portrait()[40:, 130:])
    width, height = close.shape[1], close.shape[0]
    assert mtcnn.detect(close)
    assert mtcnn.detect_in(close, [SearchArea(Box(-200, -200, width + 200, height + 200))])


@pytest.mark.parametrize(("width", "height"), [(3, 3), (40, 60), (118, 40), (200, 320), (576, 324)])
@pytest.mark.parametrize("centre", [(0, 0), (288, 162), (576, 324), (100, 300)])
def test_tiles_cover_the_area_and_stay_in_the_level(width, height, centre):
    tiling = Tiling.covering(width, height, LEVEL)
    if tiling is None:  # all of the level is cheaper
        assert width * height > 0.5 * LEVEL.width * LEVEL.height
        return
    seen = np.zeros((LEVEL.height, LEVEL.width), bool)
    for left, top in tiling.corners(centre, LEVEL):
        tile = seen[top : top + tiling.side, left : left + tiling.side]
        assert tile.shape == (tiling.side, tiling.side)
        tile[:] = True
    x, y = centre
    wanted = seen[
        max(0, round(y - height / 2)) : round(y + height / 2), max(0, round(x - width / 2)) : round(x + width / 2)
    ]
    assert wanted.all()


def test_tiles_share_what_a_window_at_their_edge_needs():
    tiling = Tiling(SIDES[0], 3, 2)
    lefts = sorted({left for left, _ in tiling.corners((200, 100), LEVEL)})
    assert [later - earlier for earlier, later in pairwise(lefts)] == [SIDES[0] - OVERLAP] * 2


def test_a_level_smaller_than_a_tile_is_searched_as_a_whole():
    assert Tiling.covering(10, 10, Level(36, 20, 53, 53)) is None


def _centre(face: Face) -> tuple[float, float]:
    return face.box.centre
