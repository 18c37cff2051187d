"""Whether what is beside a face moves with it."""

from __future__ import annotations

import pytest

from facesecure.domain import Face, Frame
from facesecure.recognition.liveness.surroundings import FacePatch, PairMotion, compare
from support.held_up import FACE, HEAD, PICTURE, scene, shaken


def moved(cut: float, by: tuple[int, int] = (9, 5), seconds: float = 0.15) -> PairMotion:
    (first, face), (second, _) = scene(0, 300, 240, cut), scene(seconds, 300 + by[0], 240 + by[1], cut)
    return compare(patch(first, face), second.luma, second.taken_at)


def patch(frame: Frame, face: Face) -> FacePatch:
    found = FacePatch.of(frame.luma, face.box, frame.taken_at)
    assert found is not None
    return found


def test_behind_a_person_the_background_stays() -> None:
    assert moved(HEAD) is PairMotion.APART


def test_on_a_picture_everything_moves_as_one() -> None:
    assert moved(PICTURE) is PairMotion.TOGETHER


def test_a_camera_that_shakes_makes_no_picture_of_a_person() -> None:
    (first, face), (second, _) = shaken(0, 0, 0), shaken(0.15, 9, 5)
    assert compare(patch(first, face), second.luma, second.taken_at) is PairMotion.STILL


def test_who_stands_still_says_nothing() -> None:
    assert moved(HEAD, by=(0, 0)) is PairMotion.STILL
    assert moved(PICTURE, by=(0, 0)) is PairMotion.STILL


def test_frames_that_are_far_apart_are_not_compared() -> None:
    assert moved(PICTURE, seconds=0.6) is PairMotion.STILL


def test_frames_of_another_size_are_not_compared() -> None:
    first, face = scene(0, 300, 240, PICTURE)
    second, _ = scene(0.15, 309, 245, PICTURE)
    assert compare(patch(first, face), second.luma[:-2], second.taken_at) is PairMotion.STILL


@pytest.mark.parametrize("x", [5, 635])
def test_a_face_at_the_edge_has_too_little_beside_it_or_is_compared_without_an_error(x: int) -> None:
    frame, face = scene(0, 300, 240, HEAD)
    beside = face.box
    moved_to = type(beside)(x - FACE / 2, beside.top, x + FACE / 2, beside.bottom)
    found = FacePatch.of(frame.luma, moved_to, 0.0)
    assert found is None or compare(found, frame.luma, 0.15) is PairMotion.STILL
