"""An alert that no plugin has spoken is reported through the other plugins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from facesecure.alerts.delivery.speech_deadline import MissedAnnouncementAlert
from facesecure.domain import Alert, AlertKind
from support.store import STRANGER, sighting

AT_THE_DOOR = Alert.about(sighting("one", STRANGER), "A stranger is at the front door")
REHEARSED = Alert.about(replace(sighting("two", STRANGER), staged=True), "This is a drill. A stranger")
ABOUT_US = Alert(AlertKind.SERVICE, "An alert could not be delivered")


def told(alert: Alert, channel: str, step: str) -> list[str]:
    said = list[str]()
    MissedAnnouncementAlert(["google_home", "speaker"], said.append).step(alert, channel, step)
    return said


def test_what_expired_before_it_was_said_is_told() -> None:
    (said,) = told(AT_THE_DOOR, "google_home", "expired")
    assert said == "'A stranger is at the front door' was not said by google_home"


@pytest.mark.parametrize(
    ("alert", "channel", "step"),
    [
        (AT_THE_DOOR, "google_home", "failed"),
        (AT_THE_DOOR, "google_home", "delivered"),
        (AT_THE_DOOR, "webhook", "expired"),
        (REHEARSED, "google_home", "expired"),
        (ABOUT_US, "google_home", "expired"),
    ],
)
def test_nothing_else_is(alert: Alert, channel: str, step: str) -> None:
    assert told(alert, channel, step) == []
