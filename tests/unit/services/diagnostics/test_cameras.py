"""The doctor opens every stream of every camera at once, and waits for none of them for ever."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from facesecure.config import FacesecureConfig
from facesecure.services.diagnostics import CheckContext, CheckResult, Health, cameras, run_checks
from support.camera.rtsp import RtspCamera, unavailable
from support.camera.sources import plain, write_picture


def checked(**tables: Any) -> list[CheckResult]:
    context = CheckContext(FacesecureConfig.model_validate(tables), None, Path("/nowhere"))
    return list(run_checks(context, {"camera": cameras.cameras}))


def several(*tables: dict[str, Any]) -> list[CheckResult]:
    return checked(cameras=list(tables))


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, str]:
    """Return the addresses of folders with a picture each, by its size."""
    found = {}
    for width, height in ((640, 360), (320, 180), (320, 240), (1280, 720)):
        folder = tmp_path / f"{width}x{height}"
        folder.mkdir()
        write_picture(folder / "a.png", plain(size=(width, height)))
        found[folder.name] = f"dir:{folder}"
    return found


def test_the_only_camera_is_called_camera(pictures: dict[str, str]) -> None:
    (result,) = checked(camera={"source": pictures["640x360"], "name": "hall"})
    assert (result.check, result.health) == ("camera", Health.OK)
    assert result.message.startswith(f"{pictures['640x360']}: 640x360")


def test_a_camera_that_is_not_there_fails_with_what_to_do() -> None:
    (result,) = checked(camera={"source": "v4l2:/dev/video99"})
    assert (result.check, result.health) == ("camera", Health.FAIL)
    assert "/dev/video99" in result.message
    assert result.remedy


def test_each_of_several_cameras_has_a_result_by_name_in_their_order(pictures: dict[str, str]) -> None:
    found = several(
        {"name": "gate", "source": "dir:/nowhere/gate"},
        {"name": "front door", "source": pictures["640x360"], "detect": pictures["320x180"]},
        {"name": "yard", "source": pictures["320x180"], "detect": "dir:/nowhere/sub"},
    )
    assert [(result.check, result.health.value) for result in found] == [
        ("camera gate", "fail"),
        ("camera front door", "ok"),
        ("camera front door, detect", "ok"),
        ("camera yard", "ok"),
        ("camera yard, detect", "fail"),
    ]
    assert all(result.remedy for result in found if result.health is Health.FAIL)


@pytest.mark.parametrize(
    ("detect", "words"),
    [("320x240", "it has another shape than source"), ("1280x720", "it is larger than source"), ("320x180", None)],
)
def test_a_sub_stream_that_does_not_fit_is_warned_of(pictures: dict[str, str], detect: str, words: str | None) -> None:
    found = checked(camera={"source": pictures["640x360"], "detect": pictures[detect]})
    warnings = [result.message for result in found if result.health is Health.WARN]
    assert [message.startswith(words or "") for message in warnings] == ([True] if words else [])
    assert all(detect in message and "640x360" in message for message in warnings)


class Silent:
    """Two cameras that accept a viewer and send nothing; both hang up once each has one."""

    def __init__(self) -> None:
        self._servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self._both = threading.Barrier(2)
        self.urls = [f"rtsp://127.0.0.1:{one.getsockname()[1]}/door" for one in self._servers]
        self.met: list[bool] = []
        for server in self._servers:
            threading.Thread(target=self._serve, args=(server,), daemon=True).start()

    def _serve(self, server: socket.socket) -> None:
        with server, server.accept()[0]:
            try:
                self._both.wait(60)
                self.met.append(True)
            except threading.BrokenBarrierError:
                self.met.append(False)


def test_a_camera_that_says_nothing_does_not_keep_the_next_one_waiting() -> None:
    silent = Silent()
    found = several(*({"name": str(number), "source": url} for number, url in enumerate(silent.urls)))
    assert silent.met == [True, True]
    assert [(result.check, result.health.value) for result in found] == [("camera 0", "fail"), ("camera 1", "fail")]


@pytest.fixture
def never(tmp_path: Path) -> Iterator[Path]:
    """A pipe that nobody writes to: to open it takes for ever."""
    path = tmp_path / "pipe.mp4"
    os.mkfifo(path)
    yield path
    os.close(os.open(path, os.O_RDWR))


def test_a_stream_that_never_opens_fails_when_its_time_is_up(
    never: Path, pictures: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras, "_SLACK", 0.5)
    found = several(
        {"name": "stuck", "source": f"file:{never}", "timeout": 0.25}, {"name": "well", "source": pictures["640x360"]}
    )
    assert [(result.check, result.health.value) for result in found] == [
        ("camera stuck", "fail"),
        ("camera well", "ok"),
    ]
    assert "did not answer within 1 s" in found[0].message
    assert found[0].remedy


def test_the_password_of_a_sub_stream_is_not_shown(pictures: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = checked(camera={"source": pictures["640x360"], "detect": f"rtsp://admin:mothb4lls@127.0.0.1:{port}/sub"})
    assert [result.health.value for result in found] == ["ok", "fail"]
    assert "mothb4lls" not in str(found)


@pytest.mark.rtsp
def test_a_wrong_password_is_the_problem_of_one_stream_alone() -> None:
    if why := unavailable():
        pytest.skip(why)
    with RtspCamera() as door, RtspCamera("porch:hunter2") as gate:
        found = several(
            {"name": "door", "source": door.url},
            {"name": "gate", "source": gate.url, "detect": gate.url_for("porch:mothb4lls")},
        )
    assert [(result.check, result.health.value) for result in found] == [
        ("camera door", "ok"),
        ("camera gate", "ok"),
        ("camera gate, detect", "fail"),
    ]
    assert "password" in found[2].message + found[2].remedy
    assert "hunter2" not in str(found)
    assert "mothb4lls" not in str(found)
