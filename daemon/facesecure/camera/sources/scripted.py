"""A fake camera that plays given images, for tests and for authors of plugins."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from facesecure.camera.sources.base import FrameClock, ProbeResult
from facesecure.domain import Frame, FrameImage, Image
from facesecure.domain.errors import SourceError
from facesecure.vision.images.frames import RgbImage

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)

Scene = Image | FrameImage | SourceError | float
"""An image to show, an error to raise, or a number of seconds without a frame."""


class ScriptedSource:
    """Shows ``scenes`` in turn, ``fps`` of them a second, beginning at ``start`` (the same every time).

    A scene is an image (uint8 RGB), a FrameImage, a SourceError, which is raised there, or a number: so many seconds
    pass without a frame. By default time passes on the frames' clock only; with ``live`` it really passes, and a slow
    reader misses frames, as with a camera. ``opened`` and ``closed`` count, so that a test can see a release.
    Example::

        source = ScriptedSource([np.zeros((240, 320, 3), np.uint8), 2.0, SourceError("unplugged")])
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
        """Yield the frames of the script, from its first scene. Raises a SourceError of the script."""
        self.opened += 1
        try:
            yield from self._play()
        finally:
            self.closed += 1

    def probe(self) -> ProbeResult:
        """Return the size of the first image. Raises SourceError if there is none."""
        for frame in self._play():
            return ProbeResult(*frame.pixels.size, 1 / self._interval, "scripted")
        raise SourceError("the script shows no image", "give ScriptedSource at least one image")

    def _play(self) -> Iterator[Frame]:
        clock, at = FrameClock(), 0.0
        for scene in self._scenes:
            if self._stopped.is_set():
                return
            if isinstance(scene, SourceError):
                raise scene
            if isinstance(scene, int | float):
                at += self._pass(float(scene))
                continue
            image = RgbImage(scene) if isinstance(scene, np.ndarray) else scene
            yield clock.recorded(image, at, self._start)
            at += self._pass(self._interval)

    def _pass(self, seconds: float) -> float:
        if self.live:
            self._stopped.wait(seconds)
        return seconds
