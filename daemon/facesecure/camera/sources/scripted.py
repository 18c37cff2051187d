"""The fake camera that ships: plays pictures you hand it. For authors of plugins and of tests."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from facesecure.camera.sources.base import FrameClock, ProbeResult
from facesecure.domain import Frame, FrameImage, Image
from facesecure.domain.errors import SourceError
from facesecure.vision.images.frames import RgbPicture

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)

Scene = Image | FrameImage | SourceError | float
"""A picture to show, an error to raise, or a number of seconds in which nothing is shown."""


class ScriptedSource:
    """Shows ``scenes`` in turn, ``fps`` of them to a second, beginning at ``start`` (the same every time).

    A scene is an image (uint8 RGB), a Picture, a SourceError, which is raised there, or a number: so many seconds
    pass without a frame. By default time is only written on the frames; with ``live`` it really passes, and a slow
    reader misses frames, as with a camera. ``opened`` and ``closed`` count, so that a test can see a release.
    """

    def __init__(
        self, scenes: Iterable[Scene], *, fps: float = 10.0, start: datetime = NEW_YEAR, live: bool = False
    ) -> None:
        self.live = live
        self.opened = 0
        self.closed = 0
        self._scenes: Sequence[Scene] = tuple(scenes)
        self._interval = 1 / fps
        self._start = start
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End all iteration soon, for good; callable from any thread."""
        self._stopped.set()

    def frames(self) -> Generator[Frame]:
        """The script, from its first scene."""
        self.opened += 1
        try:
            yield from self._play()
        finally:
            self.closed += 1

    def probe(self) -> ProbeResult:
        """The size of the first picture. Raises SourceError if there is none."""
        for frame in self._play():
            return ProbeResult(*frame.picture.size, 1 / self._interval, "scripted")
        raise SourceError("the script shows no picture", "give ScriptedSource at least one image")

    def _play(self) -> Iterator[Frame]:
        stamper, at = FrameClock(), 0.0
        for scene in self._scenes:
            if self._stopped.is_set():
                return
            if isinstance(scene, SourceError):
                raise scene
            if isinstance(scene, int | float):
                at += self._pass(float(scene))
                continue
            picture = RgbPicture(scene) if isinstance(scene, np.ndarray) else scene
            yield stamper.recorded(picture, at, self._start)
            at += self._pass(self._interval)

    def _pass(self, seconds: float) -> float:
        if self.live:
            self._stopped.wait(seconds)
        return seconds
