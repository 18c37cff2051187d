"""Send the alerts that are due although nothing happens, write the policy's state, and pass on system events."""

from __future__ import annotations

import logging
from types import TracebackType

from facesecure.alerts.policy.policy import Policy
from facesecure.domain.camera_events import CameraEvent
from facesecure.domain.interfaces import AlertSink
from facesecure.util.periodic import PeriodicTask, RunsPeriodically

_log = logging.getLogger(__name__)


class PolicyTimer(RunsPeriodically):
    """Call ``policy`` every few seconds within a ``with`` block.

    Example::

        with PolicyTimer(policy, dispatcher):
            watch(frames)
    """

    def __init__(self, policy: Policy, alerts: AlertSink, every: float = 1.0) -> None:
        """``every``: seconds between two calls."""
        self._policy, self._alerts = policy, alerts
        self._logged = False
        self._task = PeriodicTask("policy", self._tick, every, join_timeout=2.0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the task and write the policy's state."""
        super().__exit__(kind, error, trace)
        self._policy.save(at_once=True)

    def _tick(self) -> None:
        try:
            for alert in self._policy.due():
                self._alerts.send(alert)
            self._policy.save()
        except Exception:  # noqa: BLE001 - a task that ends here would never report that the camera is back
            level = logging.DEBUG if self._logged else logging.ERROR
            _log.log(level, "an error in the alert policy; please report it", exc_info=True)
            self._logged = True


class SystemAlerts:
    """Send the alerts that ``policy`` decides on for the camera and for facesecure itself. Thread-safe.

    Example::

        system = SystemAlerts(policy, dispatcher)
        system.of_service("disk_full", "5 MB were freed")
    """

    def __init__(self, policy: Policy, alerts: AlertSink) -> None:
        """``alerts``: where they go."""
        self._policy, self._alerts = policy, alerts

    def of_camera(self, event: CameraEvent, camera: str = "") -> None:
        """Handle the beginning or the end of a trouble of ``camera``, by default that of ``event``, or the first."""
        for alert in self._policy.on_camera_event(event.word, why=event.why, camera=camera or event.camera):
            self._alerts.send(alert)

    def of_service(self, event: str, why: str = "") -> None:
        """Handle an event, as ``Policy.on_service_event`` does; ``why`` is shown, never spoken."""
        for alert in self._policy.on_service_event(event, why=why):
            self._alerts.send(alert)
