"""A camera is added on the page: tried first, at addresses of cameras only, by an owner who gave the password."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facesecure.app.settings_access import SettingsAccess
from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.server import WebServer
from facesecure.config import CameraConfig
from facesecure.domain import Image
from facesecure.domain.accounts import Role
from facesecure.domain.errors import SourceError
from facesecure.services import audit
from facesecure.services.camera_trial import CameraTrials
from facesecure.services.settings_file import Place
from support.faults.table import attack
from support.page.served import Answered, Served, served_page
from support.page_socket import SignedIn, page_parts

ADDRESS = "rtsp://ben:tops3cretword@gate/main"
GATE = {"name": "garden gate", "source": ADDRESS, "detect": "", "transport": "tcp"}
TEXT = '[camera]\nsource = "rtsp://anna:hunter2secret@cam/main"\n'
INSIDE = (
    "http://169.254.169.254/latest/meta-data/", "https://127.0.0.1:8443/", "file:///etc/shadow", "file:/etc/shadow",
    "dir:/etc", "/etc/passwd", "v4l2:/dev/mem", "concat:/a|/b", "tcp://127.0.0.1:22", "udp://127.0.0.1:53", "gopher://x",
    "rtmp://127.0.0.1/x", "pipe:0", "subfile,,start,0,end,9,,:/etc/shadow", "rtsp://a\nb", "rtsp://a b/c", "", "rtsp://",
    "picamera2:0;reboot", "RTSP:/etc/passwd",
)  # fmt: skip
Saw = Callable[[str], None]


class Looking:
    """In the place of cameras: notes where this machine would connect to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers = True

    def __call__(self, camera: CameraConfig, uri: str) -> Image:
        self.asked.append(uri)
        if not self.answers:
            raise SourceError(f"{uri} refuses the connection", "check its address")
        return np.full((90, 160, 3), 120, np.uint8)


@pytest.fixture
def looking() -> Looking:
    return Looking()


@pytest.fixture
def house(tmp_path: Path, looking: Looking) -> Iterator[Served]:
    file, state = tmp_path / "door.toml", tmp_path / "state"
    file.write_text(TEXT)
    with page_parts(state, file) as parts:
        access = SettingsAccess(Place(file, state), lambda _: False, lambda: False)
        parts = replace(parts, settings=access, trials=CameraTrials(looking))
        with (
            WebServer(Guard(all_verbs(), parts, SignedIn()), state / "web.sock"),
            served_page(state / "web.sock") as served,
        ):
            served.parts = parts
            yield served


def hidden(page: Answered, name: str) -> str:
    (found,) = re.findall(rf'name="{name}" value="([0-9a-f]{{32}})"', page.text)
    return str(found)


def written(house: Served) -> dict[str, Any]:
    assert house.parts is not None
    assert house.parts.settings is not None
    file = house.parts.settings.place.config_file
    assert file is not None
    return tomllib.loads(file.read_text())


def test_a_camera_is_shown_before_it_is_added(house: Served, looking: Looking) -> None:
    assert 'href="/cameras/new"' in house.get("/settings", Role.OWNER).text
    assert "Show a picture" in house.get("/cameras/new", Role.OWNER).text
    tried = house.post("/cameras/new", GATE, Role.OWNER)
    assert tried.status == 200
    assert 'src="data:image/jpeg;base64,/9j/' in tried.text
    assert "garden gate" in tried.text
    assert "tops3cretword" not in tried.text
    assert "hunter2secret" not in tried.text
    assert "cameras" not in written(house)
    form = {"trial": hidden(tried, "trial"), "revision": hidden(tried, "revision")}
    assert house.post("/cameras/add", form, Role.OWNER).status == 303
    assert [one.get("name") for one in written(house)["cameras"]] == [None, "garden gate"]
    assert written(house)["cameras"][1]["source"] == ADDRESS
    assert looking.asked == [ADDRESS]
    assert house.parts is not None
    entries = audit.verify(house.parts.state_dir).entries
    assert [one.action for one in entries] == ["camera-tried", "settings-changed", "camera-added"]
    assert {one.actor.name for one in entries} == {"owner"}
    assert "tops3cretword" not in str(entries)


def test_a_camera_that_gives_no_picture_is_not_added_and_its_password_not_shown(
    house: Served, looking: Looking
) -> None:
    looking.answers = False
    tried = house.post("/cameras/new", GATE, Role.OWNER)
    assert tried.status == 400
    assert "No picture came from this camera." in tried.text
    assert "refuses the connection" in tried.text
    assert "tops3cretword" not in tried.text
    assert 'name="trial"' not in tried.text
    masked = house.post("/cameras/new", {**GATE, "source": "rtsp://ben:***@gate/main"}, Role.OWNER)
    assert "write all of it, with its password" in masked.text
    french = house.ask(
        "POST", "/cameras/new", Role.OWNER,
        {"Content-Type": "application/x-www-form-urlencoded", "Accept-Language": "fr"}, b"name=front+door&source=rtsp://x/1",
    )  # fmt: skip
    assert "nom d’une autre caméra" in french.text
    assert len(looking.asked) == 1


@attack(
    "an added camera as a way into the network",
    how=f"{len(INSIDE)} addresses that are no cameras': web pages, files, devices, other protocols; trials of others, "
    "other cameras than the one that was tried, without the password, as a member, from another site",
)
def test_an_added_camera_connects_to_nothing_but_cameras(house: Served, looking: Looking, saw: Saw) -> None:
    for address in INSIDE:
        for typed in ({**GATE, "source": address}, {**GATE, "detect": address or "x"}):
            assert house.post("/cameras/new", typed, Role.OWNER).status == 400, address
    assert looking.asked == []
    for role in (Role.KIOSK, Role.VIEWER, Role.MEMBER):
        assert house.post("/cameras/new", GATE, role).status == 403
        assert house.get("/cameras/new", role).status == 403
    unconfirmed = house.post("/cameras/new", GATE, Role.OWNER, confirmed=False)
    assert unconfirmed.status == 403
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://evil.example"}
    assert house.ask("POST", "/cameras/new", Role.OWNER, form, b"name=x&source=rtsp://x/1").status == 403
    assert looking.asked == []
    tried = house.post("/cameras/new", GATE, Role.OWNER)
    asked = {"trial": "0" * 32, "revision": hidden(tried, "revision")}
    assert house.post("/cameras/add", asked, Role.OWNER).status == 400
    stale = {"trial": hidden(tried, "trial"), "revision": "0" * 32}
    assert house.post("/cameras/add", stale, Role.OWNER).status == 400
    assert "cameras" not in written(house)
    saw(f"{2 * len(INSIDE)} of {2 * len(INSIDE)} refused before anything was opened; only what was tried can be added")
