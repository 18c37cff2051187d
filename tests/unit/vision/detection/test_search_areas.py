from __future__ import annotations

import pytest

from facesecure.config import DetectorConfig
from facesecure.domain import Box
from facesecure.vision.detection.factory import build_detector
from facesecure.vision.detection.search_areas import AreaDetector, SearchArea


def test_an_area_without_sizes_wants_windows_of_every_size() -> None:
    assert all(SearchArea(Box(0, 0, 10, 10)).wants(window) for window in (1, 40, 4000))


@pytest.mark.parametrize("size", [40, 57, 80, 113, 300])
def test_near_a_face_at_least_one_level_is_searched_and_at_most_two(size: float) -> None:
    area = SearchArea.near(Box(500, 500, 500 + size, 500 + size))
    wanted = [window for window in (20, 40, 80, 160, 320, 640) if area.wants(window)]
    assert len(wanted) in (1, 2)
    assert any(window <= size <= 2 * window for window in wanted)


def test_the_area_near_a_face_leaves_room_for_a_step() -> None:
    box = SearchArea.near(Box(100, 100, 200, 200)).box
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((40, 40, 260, 260))


def test_of_the_detectors_only_mtcnn_can_be_told_where_to_look() -> None:
    assert isinstance(build_detector(DetectorConfig(kind="mtcnn")), AreaDetector)
    assert not isinstance(build_detector(DetectorConfig(kind="haar")), AreaDetector)
