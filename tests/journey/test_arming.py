"""A running daemon is told to be quiet, and to watch again, while visitors come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from facesecure.alerts.recording import RecordingPlugin
from facesecure.app import assembled
from facesecure.config import FacesecureConfig
from facesecure.domain import AlertKind, Frame
from facesecure.sources import open_source
from support.commandline import CommandLine, own_settings
from support.journey import config_for


def film(config: FacesecureConfig, after: float) -> Iterator[Frame]:
    """The clip's frames, as if they came ``after`` seconds into the evening."""
    for frame in open_source(config.camera.source, config.camera).frames():
        yield replace(frame, index=frame.index + round(after * 100), taken_at=frame.taken_at + after)


def test_off_silences_the_running_daemon_and_away_wakes_it(door_clip, tmp_path, monkeypatch, capfd):
    facesecure = CommandLine(own_settings(tmp_path, monkeypatch), capfd)
    recorder, config = RecordingPlugin(), config_for(door_clip)
    with assembled(config, facesecure.state, {"recording": recorder}) as daemon:
        assert facesecure("arm", "off").out == "disarmed (was armed home)\n"
        daemon.pipeline.run(film(config, 0))
        assert recorder.alerts == []
        assert facesecure("status", "--json").json["mode"] == "off"
        assert facesecure("arm", "away").out == "armed away (was disarmed)\n"
        daemon.pipeline.run(film(config, 1000))
        status = facesecure("status", "--json").json
    told = [alert.kind for alert in recorder.alerts]
    assert told.count(AlertKind.STRANGER) == 2, "nobody is enrolled, and both who showed a face are strangers"
    assert (status["mode"], status["running"], status["camera"]["trouble"]) == ("away", True, None)
    assert status["last_seen"]["ago"] == "just now"
    assert facesecure("status").code == 1
    with assembled(config, facesecure.state) as daemon:
        assert daemon.pipeline.policy.mode == "away", "as it was told before the restart"
