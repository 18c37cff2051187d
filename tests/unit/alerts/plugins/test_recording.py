"""The fake plugin records what it was sent."""

from __future__ import annotations

import threading

import pytest

from facesecure.alerts.plugins.recording import RecordingPlugin
from support.plugins import alert


def test_it_waits_for_alerts_to_come() -> None:
    recorder = RecordingPlugin()
    later = threading.Timer(0.02, recorder.send, [alert("one")])
    later.start()
    assert [one.text for one in recorder.wait_for(1)] == ["one"]
    later.join()


def test_it_says_how_many_came_when_too_few_do() -> None:
    recorder = RecordingPlugin()
    recorder.send(alert())
    with pytest.raises(TimeoutError, match="1 of 2"):
        recorder.wait_for(2, timeout=0.01)
