"""Monitor a running camera: its frames as they pass, and every second whether they come at all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, Self

from facesecure.camera.health.camera_health import EVERY, CameraHealth
from facesecure.camera.sources.outages import Outage
from facesecure.domain import Frame
from facesecure.domain.camera_events import Trouble
from facesecure.domain.errors import SourceError
from facesecure.util.periodic import PeriodicTask, RunsPeriodically

_log = logging.getLogger(__name__)

_BLIND = (Trouble.OFFLINE, Trouble.FROZEN, Trouble.COVERED)


class CaptureStatus(Protocol):
    """The part of ``camera.capture.LatestFrame`` that is used here."""

    @property
    def heartbeat(self) -> float | None:
        """When the last frame came, in ``time.monotonic()``; None before the first."""

    @property
    def trouble(self) -> SourceError | None:
        """The error that keeps frames from coming now; None while they come."""

    @property
    def outage(self) -> Outage | None:
        """The outage that is not over, though frames may come again."""


class HealthMonitor(RunsPeriodically):
    """Checks ``camera`` every second within a ``with`` block; ``watching`` passes its frames to ``health``.

    An error of the checks themselves is logged and never stops a frame. Without ``health`` it does nothing. Example::

        with LatestFrame(source) as frames, HealthMonitor(health, frames) as monitor:
            pipeline.run(monitor.watching(frames))
    """

    def __init__(self, health: CameraHealth | None, camera: CaptureStatus, every: float = EVERY) -> None:
        self._health = health
        self._camera = camera
        self._task = PeriodicTask("camera health", self._check, every)
        self._logged = False

    @property
    def trouble(self) -> SourceError | None:
        """Why the camera is useless now: its source's error, else an offline, frozen or covered image; or None."""
        blind = [event for event in (self._health.troubles if self._health else []) if event.trouble in _BLIND]
        return self._camera.trouble or (SourceError(f"{blind[-1].word}: {blind[-1].why}") if blind else None)

    def watching(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield ``frames`` unchanged, checking each."""
        for frame in frames:
            if self._health is not None:
                self._guarded(self._health.observe, frame)
            yield frame

    def __enter__(self) -> Self:
        """Start the task; without ``health`` do nothing."""
        return self if self._health is None else super().__enter__()

    def _check(self) -> None:
        assert self._health is not None
        trouble = self._camera.trouble
        message, outage = trouble.message if trouble else None, self._camera.outage
        self._guarded(self._health.check_offline, self._camera.heartbeat, message, outage)

    def _guarded(self, check: Callable[..., None], *arguments: object) -> None:
        try:
            check(*arguments)
        except Exception:  # noqa: BLE001  (a failed check must not stop the frames)
            level = logging.DEBUG if self._logged else logging.ERROR
            _log.log(level, "the camera's health could not be checked", exc_info=True)
            self._logged = True
