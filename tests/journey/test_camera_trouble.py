"""A camera in trouble, and the daemon as a process of its own that says so."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import psutil
import pytest

from support.camera.rtsp import RtspCamera, unavailable
from support.camera.scenes import HEIGHT, WIDTH, Plane, Sensor, looking, place
from support.service.journey import lines_of, wait_for_lines

RATE = 5
PASSWORDS = ("hunter2", "swordfish")
PORCH = looking(place(1))

CONFIG = """
[camera]
source = "{source}"
timeout = {timeout}
reconnect_max = 1.0
[policy]
camera_cooldown = 0
camera_settle = 0.1
[health]
{health}
[plugins.log]
file = "{log}"
"""


@contextmanager
def daemon_on(source: str, state: Path, timeout: float = 2.0, **health: float) -> Iterator[subprocess.Popen[str]]:
    state.mkdir()
    settings = "\n".join(f"{key} = {value}" for key, value in health.items())
    (state / "door.toml").write_text(
        CONFIG.format(source=source, timeout=timeout, health=settings, log=state / "alerts.jsonl")
    )
    words = ["-v", "--config", str(state / "door.toml"), "--state-dir", str(state), "run"]
    with (
        (state / "said.txt").open("w") as said,
        subprocess.Popen([sys.executable, "-m", "facesecure", *words], stderr=said, text=True) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


class Household:
    """Who reads the alerts of the daemon with that state directory."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._read = 0

    def hears(self, words: str, timeout: float = 40.0) -> str:
        """The next alert about the camera, which has to begin so."""
        text = wait_for_lines(self._state / "alerts.jsonl", "camera", self._read + 1, timeout)[self._read]["text"]
        self._read += 1
        assert text.startswith(words), f"{text!r} and not {words!r}"
        return str(text)

    def reads(self) -> str:
        """Everything that was written anywhere."""
        return (self._state / "said.txt").read_text() + str(lines_of(self._state / "alerts.jsonl"))


def end(daemon: subprocess.Popen[str]) -> None:
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(60) == 0


@pytest.mark.slow
@pytest.mark.rtsp
def test_killed_stalled_and_with_another_password_each_is_told_with_its_reason_and_each_end_of_it(tmp_path):
    if why := unavailable():
        pytest.skip(why)
    state = tmp_path / "state"
    with (
        RtspCamera(f"porch:{PASSWORDS[0]}") as camera,
        daemon_on(camera.url, state, timeout=4.0, offline=8.0) as daemon,
    ):
        household = Household(state)
        wait_for_first_picture(daemon, state)

        camera.kill()
        assert "nothing answers on that port" in household.hears("The camera is offline")
        camera.switch_on()
        assert "pictures come again after" in household.hears("The camera is back")

        camera.stall()
        assert_it_stalled(household.hears("The camera is offline"))
        camera.go_on()
        household.hears("The camera is back")

        camera.change_account(f"porch:{PASSWORDS[1]}")
        assert "refuses the user name or password" in household.hears("The camera is offline")
        busy = psutil.Process(daemon.pid).cpu_times()
        time.sleep(5)
        assert spent(daemon, busy) < 3.5  # it tries once a second, on a slow machine too, and does not spin
        camera.change_account(f"porch:{PASSWORDS[0]}")
        household.hears("The camera is back")
        end(daemon)
    assert not any(password in household.reads() for password in PASSWORDS)


def assert_it_stalled(text: str) -> None:
    assert any(why in text for why in ("sent nothing for ", "does not answer in time", "no image")), text


def spent(daemon: subprocess.Popen[str], since: Any) -> float:
    now = psutil.Process(daemon.pid).cpu_times()
    return float(now.user + now.system - since.user - since.system)


def wait_for_first_picture(daemon: subprocess.Popen[str], state: Path, timeout: float = 60.0) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if "delivers images of" in (state / "said.txt").read_text():
            return
        assert daemon.poll() is None
        time.sleep(0.1)
    raise AssertionError((state / "said.txt").read_text())


@pytest.mark.slow
def test_a_host_that_accepts_and_never_says_a_word_is_offline_from_the_start(tmp_path):
    state = tmp_path / "state"
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        daemon_on(f"rtsp://porch:hunter2@127.0.0.1:{mute.getsockname()[1]}/door", state, offline=4.0) as daemon,
    ):
        household = Household(state)
        assert "does not answer in time" in household.hears("The camera is offline", timeout=60)
        end(daemon)
    assert "hunter2" not in household.reads()


def film(path: Path, scenes: Iterable[tuple[int, Plane, bool]]) -> Path:
    """A camera's film: each scene for so many seconds, with the sensor's noise, or frozen."""
    sensor = Sensor()
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(2 * RATE), "crf": "23"}
        stream = cast("Any", container.add_stream("libx264", rate=RATE, options=options))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for seconds, scene, frozen in scenes:
            still = sensor.luma(scene)
            for _ in range(seconds * RATE):
                luma = still if frozen else sensor.luma(scene)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.dstack([luma] * 3), format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.slow
@pytest.mark.rtsp
def test_covered_frozen_and_turned_each_is_told_and_each_end_of_it(tmp_path):
    if why := unavailable():
        pytest.skip(why)
    life = film(
        tmp_path / "life.mp4",
        [
            (40, PORCH, False),
            (15, 0 * PORCH, False),
            (15, PORCH, False),
            (45, PORCH, True),
            (12, PORCH, False),
            (80, looking(place(1), 40), False),
        ],
    )
    state = tmp_path / "state"
    settings = {"offline": 0, "covered": 5, "frozen": 12, "moved": 20}
    with RtspCamera(film=life) as camera, daemon_on(camera.url, state, 30.0, **settings) as daemon:
        household = Household(state)  # a camera that pauses is not lost: its film would begin anew
        assert "suddenly became dark" in household.hears("The camera is covered", timeout=90)
        assert "the scene is visible again" in household.hears("The camera is back", timeout=60)
        assert "the very same picture" in household.hears("The camera's picture is frozen", timeout=60)
        assert "changes again" in household.hears("The camera is back", timeout=60)
        assert "the view is shifted" in household.hears("The camera was moved", timeout=120)
        end(daemon)
