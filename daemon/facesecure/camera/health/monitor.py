"""Watches over a running camera: its frames as they pass, and by the clock whether they come at all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, Self

from facesecure.camera.health.camera_health import EVERY, CameraHealth
from facesecure.domain import Frame
from facesecure.domain.camera_events import Trouble
from facesecure.domain.errors import SourceError
from facesecure.util.periodic import PeriodicTask, RunsPeriodically

_log = logging.getLogger(__name__)


_BLIND = (Trouble.OFFLINE, Trouble.FROZEN, Trouble.COVERED)


class Camera(Protocol):
    """What is needed of ``sources.capture.LatestFrame``."""

    @property
    def heartbeat(self) -> float | None: ...

    @property
    def trouble(self) -> SourceError | None: ...


class HealthMonitor(RunsPeriodically):
    """Asks ``camera`` every second, between ``enter`` and ``exit``; ``watching`` shows ``health`` frames.

    Trouble with the watching itself is logged and never stops a frame. Without ``health`` it does nothing.
    """

    def __init__(self, health: CameraHealth | None, camera: Camera, every: float = EVERY) -> None:
        self._health = health
        self._camera = camera
        self._task = PeriodicTask("camera health", self._ask, every)
        self._complained = False

    @property
    def trouble(self) -> SourceError | None:
        """Why the camera shows nothing of worth now: what its source says, or else what its picture does."""
        ails = [event for event in (self._health.troubles if self._health else []) if event.trouble in _BLIND]
        return self._camera.trouble or (SourceError(f"{ails[-1].word}: {ails[-1].why}") if ails else None)

    def watching(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """``frames``, each looked at in passing."""
        for frame in frames:
            if self._health is not None:
                self._guarded(self._health.sees, frame)
            yield frame

    def __enter__(self) -> Self:
        """Start the task; without ``health`` do nothing."""
        return self if self._health is None else super().__enter__()

    def _ask(self) -> None:
        assert self._health is not None
        trouble = self._camera.trouble
        self._guarded(self._health.ticks, self._camera.heartbeat, trouble.message if trouble else None)

    def _guarded(self, ask: Callable[..., None], *what: object) -> None:
        try:
            ask(*what)
        except Exception:  # noqa: BLE001  (a frame is worth more than an opinion of the camera; the next may do better)
            level = logging.DEBUG if self._complained else logging.ERROR
            _log.log(level, "how the camera is cannot be told", exc_info=True)
            self._complained = True
