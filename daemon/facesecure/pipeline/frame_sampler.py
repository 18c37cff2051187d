"""Decides which frames are searched for faces; most are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from facesecure.domain import Frame, Luma

_SLACK = 1e-3
"""Seconds; a camera's clock jitters, and a frame a hair too early is still the one we wanted."""


_UNHURRIED = 4
"""While nothing moves and no face is followed, searches are this many intervals apart."""


class MotionDetector(Protocol):
    """Tells whether to look at a scene (``motion.MotionGate``)."""

    @property
    def moving(self) -> bool:
        """Whether the latest frame itself differed from the scene without visitors."""

    def moved(self, luma: Luma, at: float) -> bool:
        """Whether something moves, or did a moment ago; to be asked once for every frame, in order."""


class FrameSampler:
    """Searches while something moves or a face is being followed, every ``interval`` seconds at most."""

    def __init__(self, gate: MotionDetector, *, interval: float, following: Callable[[], bool]) -> None:
        """``following`` tells whether a face is being tracked: somebody who stands still is still there."""
        self._gate, self._interval, self._following = gate, interval, following
        self._searched_at = float("-inf")

    @property
    def moving(self) -> bool:
        """Whether the latest frame showed movement."""
        return self._gate.moving

    def should_detect(self, frame: Frame) -> bool:
        """Whether to search ``frame``; to be asked once for every frame, in order."""
        awake, following = self._gate.moved(frame.luma, frame.taken_at), self._following()
        pause = self._interval * (1 if self._gate.moving or following else _UNHURRIED)
        if not (awake or following) or frame.taken_at - self._searched_at < pause - _SLACK:
            return False
        self._searched_at = frame.taken_at
        return True
