"""Combine the detectors of one camera's troubles into events."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from math import inf

from facesecure.camera.health.covered import CoveredLens
from facesecure.camera.health.features import SceneFeatures
from facesecure.camera.health.frozen import FrozenImage
from facesecure.camera.health.moved import MovedCamera
from facesecure.camera.health.offline import CameraOffline
from facesecure.camera.sources.outages import Outage
from facesecure.config.schema import HealthConfig
from facesecure.domain import Frame
from facesecure.domain.camera_events import CameraEvent, Change, Trouble

_log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two checks of the image: troubles that last tens of seconds need no more."""


class CameraHealth:
    """Detects the troubles of one camera: ``on_event`` receives the beginning and end of each.

    ``observe`` and ``check_offline`` may be called by different threads; ``on_event`` is called by either, and never
    twice at once. Where one trouble ends while another is left, the event is that other one again: a camera is back
    when no trouble is left. Example::

        health = CameraHealth(config.health, on_event=lambda event: print(event.word, event.why))
        health.observe(frame)
    """

    def __init__(
        self,
        config: HealthConfig,
        on_event: Callable[[CameraEvent], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` is the one on which ``check_offline`` is given times; frames have their own."""
        self._on_event = on_event
        self._clock = clock
        self._lock = threading.Lock()
        self._next_check = -inf
        self._offline = CameraOffline(config.offline or inf, clock())
        self._frozen = FrozenImage(config.frozen or inf)
        self._covered = CoveredLens(config.covered or inf)
        self._moved = MovedCamera(config.moved or inf)
        self._troubles: dict[Trouble, CameraEvent] = {}

    @property
    def troubles(self) -> list[CameraEvent]:
        """The camera's current troubles, the latest last."""
        with self._lock:
            return list(self._troubles.values())

    def observe(self, frame: Frame) -> None:
        """Check ``frame`` for the troubles that show in it; once a second, in about a millisecond, else at no cost."""
        at = frame.taken_at
        if at < self._next_check:
            return
        self._next_check = max(self._next_check + EVERY, at)  # stays in step though frames come a little late
        luma, view = frame.luma, SceneFeatures.of(frame.luma)
        with self._lock:
            self._report(Trouble.FROZEN, self._frozen.update(luma, at))
            self._report(Trouble.COVERED, self._covered.update(view, self._moved.similarity_to_scene(view.edges), at))
            self._report(Trouble.MOVED, self._moved.update(view.edges, at, learn=not self._covered.suspected))

    def check_offline(self, last_frame: float | None, trouble: str | None, outage: Outage | None = None) -> None:
        """Check whether frames come. Call it every second.

        ``last_frame``: when the last one came, on ``clock``; ``trouble``: the source's own error, if it has one;
        ``outage``: the source's outage that is not over, though frames may come again.
        """
        with self._lock:
            self._report(Trouble.OFFLINE, self._offline.update(last_frame, trouble, self._clock(), outage))

    def _report(self, trouble: Trouble, change: Change | None) -> None:
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
        self._on_event(left if event.over and left else event)
