"""Events of the camera and the daemon become alerts, as the policy decides."""

from __future__ import annotations

from facesecure.alerts.policy.policy import Policy
from facesecure.alerts.policy.timer import SystemAlerts
from facesecure.domain import Alert, AlertKind
from facesecure.domain.camera_events import CameraEvent, Trouble
from facesecure.domain.messages import Phrases


class RecordingSink:
    def __init__(self) -> None:
        self.sent: list[Alert] = []

    def send(self, alert: Alert) -> None:
        self.sent.append(alert)

    @property
    def texts(self) -> list[tuple[AlertKind, str]]:
        return [(alert.kind, alert.text) for alert in self.sent]


def test_a_camera_in_trouble_is_told_with_the_reason_to_be_read_and_not_said():
    sink = RecordingSink()
    SystemAlerts(Policy(Phrases()), sink).of_camera(CameraEvent(Trouble.OFFLINE, False, "nobody answers"))
    ((kind, text),) = sink.texts
    assert kind is AlertKind.CAMERA
    assert text == f"{Phrases().camera('offline')}: nobody answers"
    assert sink.sent[0].speech == Phrases().camera("offline")


def test_what_befalls_the_service_is_told_once_and_held_back_when_it_comes_again():
    sink = RecordingSink()
    system = SystemAlerts(Policy(Phrases()), sink)
    system.of_service("disk_full", "5 MB were let go")
    system.of_service("disk_full", "6 MB were let go")
    assert sink.texts == [(AlertKind.SERVICE, f"{Phrases().service('disk_full')}: 5 MB were let go")]
