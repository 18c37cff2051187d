"""What is searched on each frame: everything, the regions that move, or the surroundings of the tracks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from facesecure.config import VerdictConfig
from facesecure.domain import Face, Image
from facesecure.pipeline.face_search import FaceSearch
from facesecure.pipeline.tracker import Tracker
from facesecure.recognition.decision import VerdictRule
from facesecure.vision.detection.motion import Region
from facesecure.vision.detection.scripted import ScriptedDetector
from facesecure.vision.detection.search_areas import SearchArea
from support.builders import SCORES, face_at, frame_at

DOOR: Region = (0.4, 0.2, 0.6, 0.9)
STEP = 0.2


class Scene:
    """An AreaDetector of a scene with ``faces``, which notes what was searched."""

    def __init__(self, faces: Sequence[Face]) -> None:
        self.faces, self.searched = list(faces), list[Sequence[SearchArea] | None]()

    def detect(self, image: Image) -> list[Face]:
        self.searched.append(None)
        return self.faces

    def detect_in(self, image: Image, areas: Sequence[SearchArea]) -> list[Face]:
        self.searched.append(areas)
        return [face for face in self.faces if any(_inside(face, area) for area in areas)]


class Watch:
    """A camera that is searched every STEP seconds."""

    def __init__(self) -> None:
        self.tracker = Tracker(VerdictRule(VerdictConfig(), SCORES))
        self.search, self.time = FaceSearch(), 0.0

    def look(self, scene: Scene, regions: Sequence[Region] = (DOOR,)) -> list[Face]:
        frame = frame_at(self.time)
        faces = list(self.search.find(scene, frame, self.tracker.tracks, regions))
        self.tracker.update(faces, self.time)
        self.time += STEP
        return faces


def _inside(face: Face, area: SearchArea) -> bool:
    (x, y), box = face.box.centre, area.box
    return box.left <= x <= box.right and box.top <= y <= box.bottom


def kinds(scene: Scene) -> str:
    """One letter a search: E for everything, R for regions, T for the tracks alone."""
    return "".join("E" if areas is None else "R" if _has_region(areas) else "T" for areas in scene.searched)


def _has_region(areas: Sequence[SearchArea]) -> bool:
    return not areas or any(area.smallest is None for area in areas)


def test_everything_is_searched_first_and_once_a_second() -> None:
    watch, empty = Watch(), Scene([])
    for _ in range(11):
        watch.look(empty)
    assert kinds(empty) == "ERRRRERRRRE"


def test_once_a_face_is_tracked_its_surroundings_and_the_regions_are_searched_in_turn() -> None:
    watch, visitor = Watch(), Scene([face_at(160, 100, 40)])
    for _ in range(10):
        watch.look(visitor)
    assert kinds(visitor) == "ERTRTETRTR"


def test_the_region_is_searched_with_a_margin_and_with_the_tracks() -> None:
    watch, visitor = Watch(), Scene([face_at(20, 20, 30)])
    watch.look(visitor)
    assert len(watch.look(visitor)) == 1  # although the face is not in the region
    areas = visitor.searched[1]
    assert areas is not None
    region = areas[0].box
    assert (region.left, region.top, region.right, region.bottom) == pytest.approx((121.6, 41.6, 198.4, 222.4))


def test_somebody_who_comes_in_is_found_at_most_one_search_later() -> None:
    for moment in range(8):
        watch, visitor = Watch(), face_at(30, 100, 40)
        for _ in range(moment):
            watch.look(Scene([visitor]))
        both = Scene([visitor, face_at(160, 120, 40)])
        assert 2 in (len(watch.look(both)), len(watch.look(both)))


def test_a_face_that_walks_is_followed_by_its_surroundings() -> None:
    watch = Watch()
    for step in range(15):
        assert len(watch.look(Scene([face_at(20 + 18 * step, 100, 40)]), regions=())) == 1


def test_everything_is_searched_where_most_of_the_frame_moves() -> None:
    watch, empty = Watch(), Scene([])
    for _ in range(3):
        watch.look(empty, regions=((0.0, 0.0, 1.0, 0.6),))
    assert kinds(empty) == "EEE"


def test_a_detector_that_cannot_search_a_part_searches_everything() -> None:
    face = face_at(30, 30, 20)
    search, detector = FaceSearch(), ScriptedDetector([[face], [face]])
    assert [search.find(detector, frame_at(time), (), (DOOR,)) for time in (0.0, 0.2)] == [[face], [face]]


def test_searches_that_follow_each_other_fast_are_of_the_tracks() -> None:
    watch, visitor = Watch(), Scene([face_at(160, 100, 40)])
    watch.look(visitor)
    watch.look(visitor)
    watch.time -= STEP
    for _ in range(4):
        watch.time += 0.06
        watch.look(visitor)
        watch.time -= STEP
    assert kinds(visitor) == "ERTTTT"
