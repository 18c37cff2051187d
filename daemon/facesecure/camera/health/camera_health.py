"""All that can be told of one camera's health, put together."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from math import inf

from facesecure.camera.health.covered import CoveredLens
from facesecure.camera.health.features import SceneFeatures
from facesecure.camera.health.frozen import FrozenPicture
from facesecure.camera.health.moved import MovedCamera
from facesecure.camera.health.offline import CameraOffline
from facesecure.config.schema import HealthConfig
from facesecure.domain import Frame
from facesecure.domain.camera_events import CameraEvent, Change, Trouble

_log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks at the picture: a health that is measured in tens of seconds needs no more."""


class CameraHealth:
    """Feed it every frame, and ask it every second whether frames come: ``tell`` gets what happens to the camera.

    Both may be done by different threads. ``tell`` is called by either, and never twice at once. Where one trouble is
    over while another is left, it is told of that one again: a camera is back when nothing ails it.
    """

    def __init__(
        self,
        config: HealthConfig,
        tell: Callable[[CameraEvent], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        self._next_look = -inf
        self._offline = CameraOffline(config.offline or inf, clock())
        self._frozen = FrozenPicture(config.frozen or inf)
        self._covered = CoveredLens(config.covered or inf)
        self._moved = MovedCamera(config.moved or inf)
        self._troubles: dict[Trouble, CameraEvent] = {}

    @property
    def troubles(self) -> list[CameraEvent]:
        """What ails the camera now, the latest last."""
        with self._lock:
            return list(self._troubles.values())

    def sees(self, frame: Frame) -> None:
        """Costs next to nothing but once a second, and then about a millisecond."""
        at = frame.taken_at
        if at < self._next_look:
            return
        self._next_look = max(self._next_look + EVERY, at)  # keeps step, though frames come a little late
        luma, view = frame.luma, SceneFeatures.of(frame.luma)
        with self._lock:
            self._met(Trouble.FROZEN, self._frozen.sees(luma, at))
            self._met(Trouble.COVERED, self._covered.sees(view, self._moved.likeness_of(view.edges), at))
            self._met(Trouble.MOVED, self._moved.sees(view.edges, at, learn=not self._covered.suspected))

    def ticks(self, last_picture: float | None, trouble: str | None) -> None:
        """``last_picture``: when the last one came, on ``clock``; ``trouble``: what the source says is wrong."""
        with self._lock:
            self._met(Trouble.OFFLINE, self._offline.looks(last_picture, trouble, self._clock()))

    def _met(self, trouble: Trouble, change: Change | None) -> None:
        if change is None:
            return
        event = CameraEvent(trouble, change.over, change.why)
        _log.log(
            logging.INFO if event.over else logging.WARNING,
            "camera %s: %s",
            event.word,
            event.why,
            extra={"camera_trouble": event.trouble.value, "camera_over": event.over},
        )
        self._troubles.pop(trouble, None)
        left = next(reversed(self._troubles.values()), None)
        if not event.over:
            self._troubles[trouble] = event
        self._tell(left if event.over and left else event)
