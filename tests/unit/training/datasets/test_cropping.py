"""Which face of a frame with several is wanted, and which looks are new."""

import numpy as np
import pytest

from facesecure.domain import Box, Face, Frame
from facesecure.vision.images.frames import RgbImage
from facesecure_training.datasets.cropping import FaceSelector
from facesecure_training.datasets.near_duplicates import NearDuplicateFilter, packed, thumbnail, unpacked
from support.faces import portrait


def face(x: float, size: float = 50.0) -> Face:
    """A face whose box begins at (x, 100)."""
    points = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]]) * size + (x, 100)
    return Face(Box(x, 100, x + size, 100 + size), points.astype(np.float32), 0.99)


def story(which: str, *frames: list[Face], interval: float = 0.2) -> list[list[tuple[int | None, float]]]:
    """What is chosen of each frame: (track, x)."""
    followed, picture = FaceSelector(which, interval), RgbImage(np.zeros((300, 640, 3), np.uint8))
    chosen = [followed.choose(faces, Frame(n, n * interval, picture)) for n, faces in enumerate(frames)]
    return [[(track, one.box.left) for track, one in some] for some in chosen]


def test_all_faces_are_wanted_each_with_its_track():
    assert story("all", [face(10), face(300)], [face(14), face(296)]) == [[(1, 10), (2, 300)], [(1, 14), (2, 296)]]


def test_the_largest_may_be_another_one_in_every_frame():
    assert story("largest", [face(10, 60), face(300)], [face(14, 60), face(290, 80)]) == [[(1, 10)], [(2, 290)]]


def test_the_central_one_is_near_the_middle_and_not_small():
    assert story("central", [face(0, 80), face(290, 60), face(340, 10)]) == [[(2, 290)]]


def test_the_tracked_one_is_held_whoever_walks_through():
    first = [face(10), face(14), face(18), face(22)]
    frames = [[first[0]], [first[1], face(300, 90)], [first[2], face(310, 90)], [first[3]]]
    assert story("tracked", *frames) == [[(1, 10)], [(1, 14)], [(1, 18)], [(1, 22)]]


def test_when_the_tracked_one_is_lost_for_long_the_largest_is_taken():
    gone = [[face(300, 90)]] * 7
    chosen = story("tracked", [face(10)], *gone)
    assert chosen[0] == [(1, 10)]
    assert chosen[1:6] == [[]] * 5
    assert chosen[7] == [(2, 300)]


def test_a_long_stride_does_not_tear_a_track():
    assert story("tracked", [face(10)], [face(12)], [face(14)], interval=3.0) == [[(1, 10)], [(1, 12)], [(1, 14)]]


def look(seed: float) -> np.ndarray:
    return portrait()[round(seed) : round(seed) + 112, 40:152]


def test_a_look_passes_once_in_whatever_light():
    thinner = NearDuplicateFilter(0.95)
    assert thinner.admits(thumbnail(look(40)))
    assert not thinner.admits(thumbnail(look(40)))
    assert not thinner.admits(thumbnail((look(40) * 0.6).astype(np.uint8)))
    assert thinner.admits(thumbnail(look(80)))
    assert not thinner.admits(thumbnail(look(40)))


def test_with_a_likeness_of_1_everything_passes():
    thinner = NearDuplicateFilter(1.0)
    assert all(thinner.admits(thumbnail(look(40))) for _ in range(3))


def test_a_look_that_is_long_past_is_new_again():
    rng, thinner = np.random.default_rng(0), NearDuplicateFilter(0.95)
    first = thumbnail(look(40))
    assert thinner.admits(first)
    others = rng.integers(-60, 60, (1000, 256)).astype(np.int8)
    assert all(thinner.admits(other) for other in others)
    assert thinner.admits(first)


def test_a_flat_picture_does_no_harm():
    assert not thumbnail(np.full((112, 112, 3), 90, np.uint8)).any()


def test_thumbnails_survive_being_written_and_hardly_lose_by_their_small_steps():
    exact = thumbnail(look(40))
    assert np.array_equal(unpacked(packed(exact)), exact)
    assert np.linalg.norm(exact.astype(float)) == pytest.approx(320, rel=0.01)
