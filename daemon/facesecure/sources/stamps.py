"""Numbers and times for frames: strictly rising, whatever the stream says."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from facesecure.domain import Frame, Picture

SMALLEST_STEP = 1e-3
"""Seconds a frame is put behind the one before if its own time does not rise."""


class Stamper:
    """Makes Frames out of pictures: counts them and sees to it that time never stands still or goes back."""

    def __init__(self) -> None:
        self._index = 0
        self._last = float("-inf")

    def live(self, picture: Picture) -> Frame:
        """A frame taken now, on the monotonic clock."""
        return self._stamp(picture, time.monotonic(), datetime.now(UTC))

    def recorded(self, picture: Picture, at: float, start: datetime) -> Frame:
        """A frame ``at`` seconds into a recording that began at ``start``."""
        at = max(at, self._last + SMALLEST_STEP)
        return self._stamp(picture, at, start + timedelta(seconds=at))

    def _stamp(self, picture: Picture, at: float, wall: datetime) -> Frame:
        at = max(at, self._last + 1e-6)
        frame = Frame(self._index, at, picture, wall)
        self._index, self._last = self._index + 1, at
        return frame
