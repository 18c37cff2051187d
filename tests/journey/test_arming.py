"""A running daemon is told to be quiet, and to watch again, while visitors come."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.app.assembly import assembled
from facesecure.camera.sources import open_source
from facesecure.config import FacesecureConfig
from facesecure.domain import AlertKind, Frame
from support.service.commandline import CommandLine, own_settings
from support.service.journey import config_for


def film(config: FacesecureConfig, after: float) -> Iterator[Frame]:
    """The clip's frames, as if they came ``after`` seconds into the evening."""
    for frame in open_source(config.camera.source, config.camera).frames():
        yield replace(frame, index=frame.index + round(after * 100), taken_at=frame.taken_at + after)


def test_off_silences_the_running_daemon_and_away_wakes_it(door_clip, tmp_path, monkeypatch, capfd):
    facesecure = CommandLine(own_settings(tmp_path, monkeypatch), capfd)
    recorder, config = RecordingPlugin(), config_for(door_clip)
    with assembled(config, facesecure.state, {"recording": recorder}) as daemon:
        assert facesecure("arm", "off").out == "disarmed (was armed home)\n"
        daemon.cameras[0].pipeline.run(film(config, 0))
        assert recorder.alerts == []
        assert facesecure("status", "--json").json["mode"] == "off"
        assert facesecure("arm", "away").out == "armed away (was disarmed)\n"
        daemon.cameras[0].pipeline.run(film(config, 1000))
        status = facesecure("status", "--json").json
    told = [alert.kind for alert in recorder.alerts]
    assert told.count(AlertKind.STRANGER) == 2, "nobody is enrolled, and both who showed a face are strangers"
    assert (status["mode"], status["running"], status["camera"]["trouble"]) == ("away", True, None)
    assert status["last_seen"]["ago"] == "just now"
    assert facesecure("status").code == 1
    audited = facesecure("audit", "--json").json["entries"]
    assert [(entry["subjects"], entry["origin"]) for entry in audited] == [
        (["off"], "control socket"), (["away"], "control socket"),
    ]  # fmt: skip
    with assembled(config, facesecure.state) as daemon:
        assert daemon.cameras[0].pipeline.policy.mode == "away", "as it was told before the restart"


@pytest.mark.slow
def test_a_killed_daemon_is_missed_and_the_next_one_answers_armed_as_it_was(door_clip, tmp_path, monkeypatch, capfd):
    facesecure = CommandLine(own_settings(tmp_path, monkeypatch), capfd)
    config = tmp_path / "door.toml"
    config.write_text(f'[camera]\nsource = "file:{door_clip}"\nfile_speed = "real"\n')
    with daemon_on(config, facesecure) as first:
        assert facesecure("arm", "away").code == 0
        first.kill()
        first.wait()
        assert (facesecure.state / "control.sock").exists(), "or nothing was left to be replaced"
        assert facesecure("status").out == "not running; armed away at its next start\n"
    with daemon_on(config, facesecure) as second:
        assert facesecure("status", "--json").json["mode"] == "away"
        second.terminate()
        assert second.wait(10) == 0
    assert not (facesecure.state / "control.sock").exists()


@contextmanager
def daemon_on(config: Path, facesecure: CommandLine) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon in a process of its own, once it answers."""
    command = [sys.executable, "-m", "facesecure", "--config", str(config), "--state-dir", str(facesecure.state), "run"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while facesecure("status").code != 0:
                assert time.monotonic() < deadline, "the daemon did not answer"
                time.sleep(0.2)
            yield process
        finally:
            process.kill()
