"""Alerts that are due are sent although nothing happens, and one error does not end that."""

from __future__ import annotations

import threading

import pytest

from facesecure.alerts.policy.timer import PolicyTimer
from facesecure.domain import Alert, AlertKind


class Forgetful:
    """A policy that makes a mistake the first ``mistakes`` times that it is asked."""

    def __init__(self, mistakes: int) -> None:
        self.mistakes, self.saved = mistakes, 0

    def due(self) -> list[Alert]:
        self.mistakes -= 1
        if self.mistakes >= 0:
            raise ZeroDivisionError("a mistake")
        return [Alert(AlertKind.CAMERA, "The camera is back")]

    def save(self, *, at_once: bool = False) -> None:
        self.saved += 1


class Sink:
    def __init__(self) -> None:
        self.notified = threading.Event()

    def send(self, alert: Alert) -> None:
        self.notified.set()


def test_a_mistake_of_the_policy_s_is_logged_once_and_what_is_due_later_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    policy, sink = Forgetful(mistakes=3), Sink()
    with PolicyTimer(policy, sink, every=0.001):  # type: ignore[arg-type]
        assert sink.notified.wait(5)
    assert caplog.text.count("an error in the alert policy") == 1
    assert policy.saved
