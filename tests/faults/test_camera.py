"""The camera is unplugged, or hangs with its connection open; RTSP for real, by GStreamer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.camera.rtsp import RtspCamera, unavailable
from support.faults.household import Home
from support.faults.table import fault

pytestmark = [pytest.mark.slow, pytest.mark.rtsp]


@fault(
    "camera unplugged, camera hung",
    how="an RTSP camera killed and started again; then stopped with its connection open, and let go on",
)
def test_a_camera_that_is_unplugged_and_one_that_hangs(home: Home, saw: Callable[[str], None]) -> None:
    if why := unavailable():
        pytest.skip(why)
    texts = []
    with RtspCamera("porch:hunter2", film=home.film) as camera:
        home.configure("[health]\noffline = 4.0\n", source=camera.url)
        text = home.config.read_text().replace("[policy]", "[policy]\ncamera_cooldown = 0\ncamera_settle = 0.1")
        home.config.write_text(text.replace("timeout = 5.0", "timeout = 2.0\nreconnect_max = 1.0"))
        with home.watched() as daemon:
            daemon.wait_for("delivers images of")
            for out, back in ((camera.kill, camera.switch_on), (camera.stall, camera.go_on)):
                for turn in (out, back):
                    turn()
                    texts.append(wait_for_camera(home, len(texts) + 1))
            assert "hunter2" not in daemon.said + str(home.alerts())
    assert [text.split(":")[0] for text in texts] == ["The camera is offline", "The camera is back"] * 2
    saw("told each time: " + ", ".join(f"“{text.replace(str(camera.port), 'PORT')}”" for text in texts))


def wait_for_camera(home: Home, count: int) -> str:
    from support.service.journey import wait_for_lines

    return str(wait_for_lines(home.log, "camera", count, timeout=60)[count - 1]["text"])
