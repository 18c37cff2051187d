"""Decides which frames are searched for faces; most are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from facesecure.domain import Frame, Luma

_SLACK = 1e-3
"""Seconds; a camera's clock jitters, and a frame a hair too early is still the one we wanted."""


class Gate(Protocol):
    """Something that tells whether the scene has changed (``motion.MotionGate``)."""

    def moved(self, luma: Luma, at: float) -> bool: ...


class Cadence:
    """Searches while something moves (and ``linger`` seconds after) or a face is being followed, every ``interval``."""

    def __init__(self, gate: Gate | None, *, interval: float, linger: float, following: Callable[[], bool]) -> None:
        """``gate`` None: always look. ``following`` tells whether a face is being tracked."""
        self._gate, self._interval, self._linger, self._following = gate, interval, linger, following
        self._moved_at = float("-inf")
        self._searched_at = float("-inf")
        self.moving = False
        """Whether the latest frame differed from the ones before it."""

    def due(self, frame: Frame) -> bool:
        """Whether to search ``frame``; to be asked once for every frame, in order."""
        self.moving = self._gate is None or self._gate.moved(frame.luma, frame.taken_at)
        if self.moving:
            self._moved_at = frame.taken_at
        awake = frame.taken_at - self._moved_at <= self._linger or self._following()
        if not awake or frame.taken_at - self._searched_at < self._interval - _SLACK:
            return False
        self._searched_at = frame.taken_at
        return True
