"""A drill, from the camera to the loudspeaker: the real command asks the real daemon; a Cast receiver plays it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from facesecure.services.drill.report import last_good_report, load_reports
from support.cast.receiver import cast_device
from support.speech.alsa import samples, without_a_card


class Home:
    """A household's own files, and the commands typed in it."""

    def __init__(self, folder: Path, clip: Path) -> None:
        self.state, self.config, self._clip = folder / "state", folder / "door.toml", clip
        self.environment = {**os.environ, "HOME": str(folder)}

    def configure(self, plugins: str) -> None:
        self.config.write_text(
            f'[camera]\nsource = "file:{self._clip}"\nfile_speed = "real"\n[speech]\nvoices = ["fake"]\n{plugins}\n'
        )

    def command(self, *words: str) -> list[str]:
        return [
            sys.executable,
            "-m",
            "facesecure",
            "--config",
            str(self.config),
            "--state-dir",
            str(self.state),
            *words,
        ]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, env=self.environment, timeout=90, check=False
        )

    def drill(self) -> tuple[int, dict[str, Any], str]:
        """Exit code, report, and what was said on stderr."""
        done = self.run("drill", "--json")
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout), done.stderr

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While the daemon runs, from when it can be asked."""
        log = self.state.with_name("daemon.log")
        with log.open("w") as file:
            daemon = subprocess.Popen(self.command("run"), stdout=file, stderr=file, env=self.environment)
        try:
            deadline = time.monotonic() + 120
            while self.run("status").returncode != 0:
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(timeout=60)


@pytest.fixture
def home(tmp_path: Path, door_clip: Path) -> Home:
    return Home(tmp_path, door_clip)


def steps(report: dict[str, Any], channel: str = "") -> list[str]:
    return [step["what"] for step in report["steps"] if not channel or step["channel"] == channel]


def google_home(address: str) -> str:
    return f'[plugins.google_home]\ndevices = ["{address}"]\n'


def test_the_running_daemon_is_heard_through_a_cast_device_and_says_when_each_step_was(home: Home) -> None:
    with cast_device() as device:
        home.configure(google_home(device.address))
        with home.watched():
            code, report, err = home.drill()
    assert code == 0, (report, err)
    assert steps(report)[:5] == ["shown", "detected", "judged", "policy", "written"]
    assert steps(report, "google_home") == ["written", "attempting", "fetched", "playing", "finished", "delivered"]
    times = [step["seconds"] for step in report["steps"]]
    assert times == sorted(times)
    good = last_good_report(home.state)
    assert good is not None
    assert good.as_json() == report


def test_where_the_device_fails_the_loudspeaker_speaks_and_the_drill_shows_both(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = without_a_card(tmp_path, monkeypatch)
    home.environment["ALSA_CONFIG_PATH"] = str(tmp_path / "asound.conf")
    home.configure(google_home("127.0.0.1:9") + "[plugins.speaker]\n")
    code, report, err = home.drill()  # no daemon runs: the command watches by itself
    assert code == 0, (report, err)
    assert "facesecure is not running" in err
    assert "failed" in steps(report, "google_home")
    assert steps(report, "speaker")[-1] == "delivered"
    assert float(abs(samples(played)).max()) > 0.1, "something was heard"
    spoken = next(
        step["seconds"] for step in report["steps"] if step["what"] == "playing" and step["channel"] == "speaker"
    )
    judged = next(step["seconds"] for step in report["steps"] if step["what"] == "judged")
    assert spoken - judged < 30, "the next plugin speaks at once, however slow this machine is with its words"


def test_a_drill_that_nobody_hears_fails_and_is_kept_as_such(home: Home) -> None:
    home.configure(google_home("127.0.0.1:9") + "expires = 5\n")
    code, report, _ = home.drill()
    assert code == 1
    assert report["why"].startswith("not delivered by google_home")
    assert last_good_report(home.state) is None
    assert [each.good for each in load_reports(home.state)] == [False]


def test_a_camera_that_is_not_there_is_said_at_once(home: Home) -> None:
    home.config.write_text('[camera]\nsource = "v4l2:/dev/video97"\n')
    done = home.run("drill")
    assert done.returncode == 1
    assert "/dev/video97" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
