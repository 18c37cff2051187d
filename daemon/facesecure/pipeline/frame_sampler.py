"""Choose the frames that are searched for faces; most are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from facesecure.camera.sources.attention import Attention
from facesecure.domain import Frame, Luma
from facesecure.vision.detection.motion import Change, Region

_JITTER = 1e-3
"""Seconds by which a frame may come before its interval is over: a camera's clock jitters."""
_IDLE_FACTOR = 4
"""Searches are this many intervals apart while nothing moves and no face is tracked."""


class MotionDetector(Protocol):
    """Detects movement in a scene (``vision.detection.motion.MotionGate``)."""

    @property
    def moving(self) -> bool:
        """Return whether the latest frame itself differed from the empty scene."""

    @property
    def regions(self) -> tuple[Region, ...]:
        """Return the boxes around what moves in the latest frame, largest first, as fractions of the image."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return the regions that move in the latest frame, masked parts included, with the share of the image."""

    def moved(self, luma: Luma, at: float) -> bool:
        """Return whether something moves, or did a moment ago. Call it once for every frame, in order.

        ``luma``: uint8 (height, width); ``at``: seconds on the source's clock.
        """


class FrameSampler:
    """Selects frames for face detection: while something moves or a face is tracked, one an ``interval`` at most.

    Example::

        sampler = FrameSampler(MotionGate(config.motion), interval=0.2, following=lambda: tracker.busy)
        faces = detector.detect(frame.image) if sampler.should_detect(frame) else None
    """

    def __init__(
        self,
        gate: MotionDetector,
        *,
        interval: float,
        following: Callable[[], bool],
        attention: Attention | None = None,
    ) -> None:
        """``interval``: seconds; ``following`` returns whether a face is tracked, since a visitor may stand still.

        ``attention`` is told with every frame whether the next ones are needed.
        """
        self._gate, self._interval, self._following = gate, interval, following
        self._attention = attention or Attention()
        self._searched_at = float("-inf")

    @property
    def moving(self) -> bool:
        """Return whether the latest frame showed movement."""
        return self._gate.moving

    @property
    def regions(self) -> tuple[Region, ...]:
        """Return the boxes around what moves in the latest frame, largest first, as fractions of the image."""
        return self._gate.regions

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return the regions that move in the latest frame, masked parts included, with the share of the image."""
        return self._gate.changes

    def should_detect(self, frame: Frame) -> bool:
        """Return whether to search ``frame`` for faces. Call it once for every frame, in order."""
        awake, following = self._gate.moved(frame.luma, frame.taken_at), self._following()
        self._attention.scene = awake or following
        pause = self._interval * (1 if self._gate.moving or following else _IDLE_FACTOR)
        if not (awake or following) or frame.taken_at - self._searched_at < pause - _JITTER:
            return False
        self._searched_at = frame.taken_at
        return True
