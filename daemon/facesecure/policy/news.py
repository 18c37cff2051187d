"""What befalls the camera and facesecure itself, told as the policy decides."""

from __future__ import annotations

from facesecure.health.events import CameraEvent
from facesecure.policy.deciding import Policy
from facesecure.policy.ticker import Alerts


class News:
    """Asks ``policy`` who is to hear of it, and hands on what is to be told to ``alerts``. Any thread may call."""

    def __init__(self, policy: Policy, alerts: Alerts) -> None:
        self._policy, self._alerts = policy, alerts

    def of_camera(self, event: CameraEvent) -> None:
        """The camera is in trouble, or out of it."""
        for alert in self._policy.decide_camera(event.word, why=event.why):
            self._alerts.send(alert)

    def of_service(self, event: str, why: str = "") -> None:
        """``event`` as ``Policy.decide_service`` takes it; ``why`` is for reading, never spoken."""
        for alert in self._policy.decide_service(event, why=why):
            self._alerts.send(alert)
