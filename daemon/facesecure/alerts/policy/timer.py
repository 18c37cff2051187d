"""The policy's sense of time passing: what is due though nothing happens is sent, and what was told is written down."""

from __future__ import annotations

import logging
from types import TracebackType

from facesecure.alerts.policy.policy import Policy
from facesecure.domain.camera_events import CameraEvent
from facesecure.domain.interfaces import AlertSink
from facesecure.util.periodic import PeriodicTask, RunsPeriodically

_log = logging.getLogger(__name__)


class PolicyTimer(RunsPeriodically):
    """Asks ``policy`` every so many seconds, between ``enter`` and ``exit``."""

    def __init__(self, policy: Policy, alerts: AlertSink, every: float = 1.0) -> None:
        self._policy, self._alerts = policy, alerts
        self._complained = False
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
        except Exception:  # noqa: BLE001 - a routine that ends here never tells again that the camera is back
            level = logging.DEBUG if self._complained else logging.ERROR
            _log.log(level, "a mistake of the policy's", exc_info=True)
            self._complained = True


class SystemAlerts:
    """Asks ``policy`` who is to hear of it, and hands on what is to be told to ``alerts``. Any thread may call."""

    def __init__(self, policy: Policy, alerts: AlertSink) -> None:
        self._policy, self._alerts = policy, alerts

    def of_camera(self, event: CameraEvent) -> None:
        """The camera is in trouble, or out of it."""
        for alert in self._policy.on_camera_event(event.word, why=event.why):
            self._alerts.send(alert)

    def of_service(self, event: str, why: str = "") -> None:
        """``event`` as ``Policy.decide_service`` takes it; ``why`` is for reading, never spoken."""
        for alert in self._policy.on_service_event(event, why=why):
            self._alerts.send(alert)
