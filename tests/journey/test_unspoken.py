"""A daemon whose only loudspeaker is out of order tells by other ways that nothing was said."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from facesecure.alerts.plugins.api import PluginConfig
from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.app.assembly import assembled
from facesecure.domain import Alert
from support.faults.household import wait_until
from support.service.journey import config_for
from support.store import STRANGER, sighting


class Broken:
    """A loudspeaker that never speaks, and whose words are stale after a moment."""

    config = PluginConfig(expires=0.3)
    speaks = True

    def send(self, alert: Alert) -> None:
        raise OSError("no such device")


def test_an_alarm_that_nothing_said_is_told_by_what_works(door_clip: Path, tmp_path: Path) -> None:
    recorder, config = RecordingPlugin(), config_for(door_clip, policy={"aloud": ["horn"]})
    with assembled(config, tmp_path / "state", {"recording": recorder, "horn": Broken()}) as daemon:
        daemon.dispatcher.send(
            Alert.about(sighting("one", STRANGER), "A stranger is at the front door", created_at=datetime.now(UTC))
        )
        wait_until(lambda: len(recorder.alerts) >= 2, "word of what was not said")
    assert [alert.text for alert in recorder.alerts] == [
        "A stranger is at the front door",
        "An alert could not be delivered: 'A stranger is at the front door' was not said by horn",
    ]
