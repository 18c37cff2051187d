"""The daemon as a process of its own, on sources that do not wait for it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from facesecure.alerts.recording import RecordingPlugin
from facesecure.app import run
from facesecure.demo.show import enrol
from facesecure.domain import VerdictKind
from support.journey import config_for, wait_for_lines
from support.rtsp import RtspCamera, unavailable


def test_somebody_enrolled_while_the_daemon_runs_is_known_without_a_restart(door_clip, tmp_path):
    """The clip plays at real speed; she is enrolled after the daemon is ready and before her face is near."""
    recorder, ready = RecordingPlugin(), threading.Event()
    config = config_for(door_clip, camera={"file_speed": "real"})
    daemon = threading.Thread(
        target=run,
        args=(config, tmp_path),
        kwargs={"exit_at_end": True, "extra_plugins": {"recording": recorder}, "on_ready": lambda _: ready.set()},
        daemon=True,
    )
    daemon.start()
    assert ready.wait(20)
    enrol(config, tmp_path)
    alerts = recorder.wait_for(1, timeout=20)
    while alerts[-1].sighting.verdict.kind is VerdictKind.STRANGER:  # seen before she was enrolled: to be corrected
        alerts = recorder.wait_for(len(alerts) + 1, timeout=20)
    assert alerts[-1].sighting.verdict.name == "Grace Hopper"
    daemon.join(40)
    assert not daemon.is_alive()


@contextmanager
def running_daemon(source: str, state_dir: Path, log: Path) -> Iterator[subprocess.Popen[str]]:
    config = state_dir / "door.toml"
    config.write_text(
        f'[camera]\nsource = "{source}"\ntimeout = 4.0\nreconnect_max = 1.0\n[plugins.log]\nfile = "{log}"\n'
    )
    command = [sys.executable, "-m", "facesecure", "-v", "--config", str(config), "--state-dir", str(state_dir), "run"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.rtsp
def test_a_network_camera_that_is_unplugged_and_plugged_in_again_goes_on_naming_people(door_clip, household, tmp_path):
    if why := unavailable():
        pytest.skip(why)
    shutil.copytree(household, tmp_path / "state")
    log = tmp_path / "alerts.jsonl"
    with (
        RtspCamera("porch:hunter2", film=door_clip) as camera,
        running_daemon(camera.url, tmp_path / "state", log) as daemon,
    ):
        (first,) = wait_for_lines(log, "known", 1, timeout=40)
        assert first["name"] == "Grace Hopper"
        camera.kill()
        camera.switch_on()
        wait_for_lines(log, "known", 2, timeout=40)
        daemon.send_signal(signal.SIGTERM)
        _, said = daemon.communicate(timeout=5)
    assert daemon.returncode == 0
    assert "hunter2" not in said
    assert "back after" in said
