"""The answer of a source that was asked once whether it works."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from facesecure.domain import Frame, FrameImage


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """A source was opened and gave a picture: size in pixels, frames a second (0: it does not say), and what it is."""

    width: int
    height: int
    fps: float
    why: str

    def __str__(self) -> str:
        rate = f" at {self.fps:g} frames a second" if self.fps else ""
        return f"{self.width}x{self.height}{rate}, {self.why}"


_SLICE = 1.0


class Heartbeat:
    """``at``: the ``time.monotonic()`` of the last sign. Given by the thread that reads the source, read by any."""

    def __init__(self) -> None:
        self.at = time.monotonic()

    def give(self) -> None:
        self.at = time.monotonic()

    def wait(self, stopped: threading.Event, seconds: float) -> bool:
        """``stopped.wait(seconds)``, with a sign every second: a pause is no hang, however long it is."""
        end = time.monotonic() + seconds
        while True:
            self.give()
            left = end - time.monotonic()
            if stopped.wait(min(_SLICE, max(0.0, left))):
                return True
            if left <= _SLICE:
                return False


SMALLEST_STEP = 1e-3
"""Seconds a frame is put behind the one before if its own time does not rise."""


class FrameClock:
    """Makes Frames out of pictures: counts them and sees to it that time never stands still or goes back."""

    def __init__(self) -> None:
        self._index = 0
        self._last = float("-inf")

    def live(self, picture: FrameImage) -> Frame:
        """A frame taken now, on the monotonic clock."""
        return self._stamp(picture, time.monotonic(), datetime.now(UTC))

    def recorded(self, picture: FrameImage, at: float, start: datetime) -> Frame:
        """A frame ``at`` seconds into a recording that began at ``start``."""
        at = max(at, self._last + SMALLEST_STEP)
        return self._stamp(picture, at, start + timedelta(seconds=at))

    def _stamp(self, picture: FrameImage, at: float, wall: datetime) -> Frame:
        at = max(at, self._last + 1e-6)
        frame = Frame(self._index, at, picture, wall)
        self._index, self._last = self._index + 1, at
        return frame
