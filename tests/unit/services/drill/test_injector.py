"""Somebody who is not there, before a camera that shows what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from facesecure.camera.sources.scripted import ScriptedSource
from facesecure.config import DetectorConfig
from facesecure.domain import Frame, Image
from facesecure.services.drill.injector import VisitorInjector
from facesecure.vision.detection.factory import build_detector
from facesecure.vision.images.frames import RgbImage


def porch(count: int = 150, size: tuple[int, int] = (640, 360)) -> list[Image]:
    """A grey wall, ``count`` times."""
    return [np.full((size[1], size[0], 3), 120, np.uint8)] * count


def source(pictures: Sequence[Image | RgbImage]) -> Iterator[Frame]:
    return ScriptedSource(pictures, fps=10.0).frames()


def test_until_it_begins_the_pictures_are_the_source_s_own() -> None:
    pictures = porch(5)
    assert [frame.image is picture for frame, picture in zip(frames(pictures), pictures, strict=True)] == [True] * 5


def frames(pictures: list[Image], begin_at: int | None = None) -> Iterator[Frame]:
    injector = VisitorInjector(seconds=6.0)
    for number, frame in enumerate(injector.inject(source(pictures))):
        yield frame
        if number == begin_at:
            injector.begin()


def test_a_visit_begins_with_the_next_frame_and_leaves_no_trace() -> None:
    wall = porch(100)
    painted = [number for number, frame in enumerate(frames(wall, begin_at=9)) if (frame.image != 120).any()]
    assert min(painted) == 10
    assert 60 <= max(painted) <= 70


def test_the_source_s_own_picture_is_not_painted_over() -> None:
    wall = porch(30)
    list(frames(wall, begin_at=0))
    assert all((picture == 120).all() for picture in wall)


def test_a_detector_finds_the_face_where_it_was_painted() -> None:
    injector = VisitorInjector(seconds=6.0)
    injector.begin()
    detector, found = build_detector(DetectorConfig()), 0
    for frame in injector.inject(source(porch(60, (1280, 720)))):
        box = injector.box
        faces = detector.detect(frame.image) if box and frame.index % 5 == 0 else []
        found += any(box.left < face.box.centre[0] < box.right for face in faces)
    assert found >= 3


@pytest.mark.parametrize("luma", [(90, 160), (360, 640)], ids=["smaller", "same"])
def test_the_luma_stays_of_the_size_that_the_camera_gives(luma: tuple[int, int]) -> None:
    """The motion gate compares each with the one before."""
    pictures = [RgbImage(image, np.full(luma, 120, np.uint8)) for image in porch(40)]
    injector = VisitorInjector()
    injector.begin()
    shapes, moved = set(), False
    for frame in injector.inject(source(pictures)):
        shapes.add(frame.luma.shape)
        moved |= bool((frame.luma != 120).any())
    assert (shapes, moved) == ({luma}, True)


def test_it_can_come_again() -> None:
    injector = VisitorInjector(seconds=6.0)
    visits, there = 0, False
    for frame in injector.inject(source(porch(200))):
        if frame.index in (0, 100):
            injector.begin()
        visits += injector.box is not None and not there
        there = injector.box is not None
    assert visits == 2
