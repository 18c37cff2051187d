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

from support.camera.rtsp import RtspCamera, unavailable
from support.service.journey import lines_of, wait_for_lines, wait_for_words


@contextmanager
def running_daemon(source: str, state_dir: Path, log: Path, said: Path) -> Iterator[subprocess.Popen[bytes]]:
    config = state_dir / "door.toml"
    config.write_text(
        f'[camera]\nsource = "{source}"\ntimeout = 4.0\nreconnect_max = 1.0\n'
        f'[policy]\nknown_cooldown = 0\n[plugins.log]\nfile = "{log}"\n'
    )
    command = [sys.executable, "-m", "facesecure", "-v", "--config", str(config), "--state-dir", str(state_dir), "run"]
    with said.open("wb") as errors, subprocess.Popen(command, stderr=errors) as process:
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
    log, said = tmp_path / "alerts.jsonl", tmp_path / "said.log"
    with (
        RtspCamera("porch:hunter2", film=door_clip) as camera,
        running_daemon(camera.url, tmp_path / "state", log, said) as daemon,
    ):
        (first, *_) = wait_for_lines(log, "known", 1, timeout=60)
        assert first["name"] == "Grace Hopper"
        camera.kill()
        camera.switch_on()
        wait_for_words(said, "is back after", timeout=60)
        before = sum(line["kind"] == "known" for line in lines_of(log))  # one may have come while it went
        wait_for_lines(log, "known", before + 1, timeout=60)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=60) == 0
    assert "hunter2" not in said.read_text()
