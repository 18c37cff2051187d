"""The daemon as a process of its own, on sources that do not wait for it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.journey import wait_for_lines
from support.rtsp import RtspCamera, unavailable


@contextmanager
def running_daemon(source: str, state_dir: Path, log: Path) -> Iterator[subprocess.Popen[str]]:
    config = state_dir / "door.toml"
    config.write_text(
        f'[camera]\nsource = "{source}"\ntimeout = 4.0\nreconnect_max = 1.0\n'
        f'[policy]\nknown_cooldown = 0\n[plugins.log]\nfile = "{log}"\n'
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
        (first,) = wait_for_lines(log, "known", 1, timeout=60)
        assert first["name"] == "Grace Hopper"
        camera.kill()
        camera.switch_on()
        wait_for_lines(log, "known", 2, timeout=60)
        daemon.send_signal(signal.SIGTERM)
        _, said = daemon.communicate(timeout=5)
    assert daemon.returncode == 0
    assert "hunter2" not in said
    assert "back after" in said
