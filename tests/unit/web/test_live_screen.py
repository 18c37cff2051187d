"""Live on the page: pictures over a WebSocket as fast as the browser draws them, and stills and streams."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from facesecure.domain.accounts import Role
from facesecure.services.sessions import new_token, token_hash
from facesecure.web import live_socket
from facesecure.web.live_limits import Places, TooMany
from support.builders import frame_at
from support.page.served import Served
from support.page.websocket import LiveSocket
from support.page_cameras import served_cameras
from support.page_socket import token_of

JPEG = b"\xff\xd8\xff"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served_cameras(tmp_path, "front door", "gate") as served:
        for number in range(2):
            show(served, number)
        yield served


def show(house: Served, camera: int, seconds: float = 0.0) -> None:
    assert house.parts is not None
    house.parts.cameras[camera].view.look(frame_at(seconds), [])


def look(house: Served, role: Role = Role.KIOSK) -> LiveSocket:
    return LiveSocket(house.port, {"Cookie": f"facesecure={token_of(role)}", "Origin": house.origin})


def test_every_camera_is_shown(house: Served) -> None:
    with look(house) as live:
        live.say({"watch": ["front-door", "gate"], "width": 320})
        shown = [live.picture() for _ in range(2)]
        assert not live.compressed, "a JPEG gets no smaller, and the machine warmer"
    assert {head["camera"] for head, _ in shown} == {"front-door", "gate"}
    assert all(jpeg.startswith(JPEG) and head["size"] == [320, 240] and head["boxes"] == [] for head, jpeg in shown)


def test_the_next_picture_comes_once_the_last_was_acknowledged(house: Served) -> None:
    with look(house) as live:
        live.say({"watch": ["gate"]})
        head, _ = live.picture()
        for seconds in range(1, 4):
            show(house, 1, seconds)
        assert live.picture(0.7) is None
        live.acknowledge(head)
        later, _ = live.picture()
        assert later["number"] == 4


def test_a_camera_that_was_not_acknowledged_keeps_no_other_back(house: Served) -> None:
    with look(house) as live:
        live.say({"watch": ["front-door", "gate"]})
        pictures = {head["camera"]: head for head, _ in (live.picture(), live.picture())}
        live.acknowledge(pictures["gate"])
        show(house, 1, 1.0)
        assert live.picture()[0]["camera"] == "gate"


def test_only_the_number_that_was_sent_counts(house: Served) -> None:
    with look(house) as live:
        live.say({"watch": ["gate"]})
        head, _ = live.picture()
        for wrong in ({"camera": "gate", "number": head["number"] + 1}, {"camera": "garage", "number": 1}, {}):
            live.say(wrong)
        show(house, 1, 1.0)
        assert live.picture(0.7) is None
        live.acknowledge(head)
        assert live.picture() is not None


def test_asking_again_and_again_brings_no_picture_more(house: Served) -> None:
    with look(house) as live:
        live.say({"watch": ["gate"]})
        assert live.picture() is not None
        for number in range(50):
            live.say({"watch": ["gate"] if number % 2 else []})
        show(house, 1, 1.0)
        assert live.picture(0.7) is None


@pytest.mark.parametrize("nonsense", ["{", "[]", "3", '{"watch": 3}', '{"watch": ["x"], "x": "' + "y" * 9000 + '"}'])
def test_nonsense_ends_it(house: Served, nonsense: str) -> None:
    with look(house) as live:
        live.say(nonsense)
        assert live.picture() is None
        assert live.closed == live_socket.NONSENSE


def test_it_stops_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facesecure.web.screens.live.A_MINUTE", 0.01)
    with served_cameras(tmp_path, "gate", web={"live_minutes": 30}) as served, look(served) as live:
        live.say({"watch": ["gate"]})
        began = time.monotonic()
        assert live.picture() is None
        assert live.closed == live_socket.OVER
        assert time.monotonic() - began < 10


def test_a_browser_that_acknowledges_nothing_is_let_go(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_socket, "PATIENCE", 0.3)
    with look(house) as live:
        live.say({"watch": ["gate"]})
        assert live.picture() is not None
        assert live.picture() is None
        assert live.closed == live_socket.TOO_SLOW


def test_the_screen_names_every_camera_and_works_without_scripts(house: Served) -> None:
    page = house.get("/live", Role.KIOSK)
    assert page.status == 200
    for slug, name in (("front-door", "front door"), ("gate", "gate")):
        assert f'src="/live/{slug}.jpg?width=640"' in page.text
        assert f"<h2>{name}</h2>" in page.text


def test_a_still_is_a_jpeg_that_nobody_keeps(house: Served) -> None:
    answer = house.get("/live/gate.jpg?width=320", Role.KIOSK)
    assert (answer.status, answer.headers["content-type"], answer.headers["cache-control"]) == (
        200,
        "image/jpeg",
        "no-store",
    )
    assert answer.body.startswith(JPEG)
    assert float(answer.headers["x-age"]) < 60


def test_a_token_shows_a_still_and_a_stream_until_it_is_revoked(house: Served) -> None:
    assert house.parts is not None
    tokens, secret = house.parts.store.page.live_tokens, new_token()
    made = tokens.make(token_hash(secret), "dashboard", ["gate"], "Anna", datetime.now(UTC))
    still = house.get(f"/live/gate.jpg?token={secret}")
    assert still.body.startswith(JPEG)
    assert still.headers["cross-origin-resource-policy"] == "cross-origin"
    with closing(http.client.HTTPConnection("127.0.0.1", house.port, timeout=15)) as connection:
        connection.request("GET", f"/live/gate.mjpeg?token={secret}", headers={"Host": f"localhost:{house.port}"})
        with connection.getresponse() as stream:
            assert stream.headers["Content-Type"].startswith("multipart/x-mixed-replace")
            assert JPEG in stream.read(400)
            tokens.revoke(made.identifier)
            show(house, 1, 1.0)
            stream.read()  # to its end
    assert house.get(f"/live/gate.jpg?token={secret}").status == 403


def test_places_are_counted_for_all_and_for_one() -> None:
    places = Places(3, 2)
    with places.taken_by("a"), places.taken_by("a"):
        assert not places.has_one_for("a")
        with pytest.raises(TooMany), places.taken_by("a"):
            pass
        with places.taken_by("b"):
            assert not places.has_one_for("c")
    assert places.taken == 0
