"""Live pictures under attack: who may not look, crowds of sockets, browsers that stall, and guessed cameras."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from facesecure.domain.accounts import Role, Session
from facesecure.services.sessions import new_token, token_hash
from facesecure.web import live_socket
from facesecure.web.screens import live as screen
from support.builders import frame_at
from support.faults.table import attack
from support.page.served import Served
from support.page.websocket import LiveSocket
from support.page_cameras import served_cameras
from support.page_socket import SignedIn, token_of

JPEG = b"\xff\xd8\xff"


class Ending(SignedIn):
    """Browsers that are signed in until ``over``."""

    over = False

    def find(self, token: str) -> Session | None:
        return None if self.over else super().find(token)


@pytest.fixture
def sessions() -> Ending:
    return Ending()


@pytest.fixture
def house(tmp_path: Path, sessions: Ending) -> Iterator[Served]:
    with served_cameras(tmp_path, "front door", "gate", sessions=sessions) as served:
        for number in range(2):
            show(served, number)
        yield served


def show(house: Served, camera: int, seconds: float = 0.0) -> None:
    assert house.parts is not None
    house.parts.cameras[camera].view.look(frame_at(seconds), [])


def look(house: Served, token: str | None = None, **headers: str) -> LiveSocket:
    cookie = {"Cookie": f"facesecure={token}"} if token else {}
    return LiveSocket(house.port, {"Origin": house.origin, **cookie, **headers})


def is_refused(house: Served, token: str | None = None, **headers: str) -> bool:
    with look(house, token, **headers) as live:
        return live.rejected is not None


@attack(
    "a live socket without a session",
    how="the WebSocket of the live pictures opened without a cookie, with 50 guessed tokens, and by a browser whose "
    "session ends while it looks",
)
def test_nobody_looks_without_a_session(house: Served, sessions: Ending, saw: Callable[[str], None]) -> None:
    assert is_refused(house)
    assert all(is_refused(house, secrets.token_urlsafe(32)) for _ in range(50))
    with look(house, token_of(Role.KIOSK)) as live:
        live.say({"watch": ["gate"]})
        head, _ = live.picture() or ({}, b"")
        sessions.over = True
        began = time.monotonic()
        live.acknowledge(head)
        show(house, 1, 1.0)
        show(house, 1, 2.0)
        later = live.picture(15)
        if later is not None:  # it was on its way
            live.acknowledge(later[0])
            assert live.picture(15) is None
        assert live.closed == live_socket.SIGNED_OUT
    took = time.monotonic() - began
    saw(f"no handshake succeeded; whoever was signed out while looking was cut off within {took:.0f} s")


@attack(
    "a live socket opened by another site",
    how="a signed-in browser's cookie with the Origin of another site, of another port, of none, and as null, and with "
    "Sec-Fetch-Site cross-site and same-site",
)
def test_another_site_opens_no_socket(house: Served, saw: Callable[[str], None]) -> None:
    token = token_of(Role.OWNER)
    origins = ["https://evil.example", "null", "http://localhost", f"https://localhost:{house.port}", ""]
    for origin in origins:
        assert is_refused(house, token, Origin=origin), origin
    for site in ("cross-site", "same-site"):
        assert is_refused(house, token, **{"Sec-Fetch-Site": site}), site
    with LiveSocket(house.port, {"Cookie": f"facesecure={token}"}) as live:
        assert live.rejected is not None
    assert not is_refused(house, token)
    saw("each handshake was refused, and the page's own succeeded")


@attack(
    "roles that may not rehearse or draw",
    how="a kiosk and a viewer begin drills, a member saves masks, an owner without their password, all by the forms' "
    "own addresses",
)
def test_roles_that_may_not_change_nothing(house: Served, saw: Callable[[str], None]) -> None:
    assert house.parts is not None
    for role in (Role.KIOSK, Role.VIEWER):
        assert house.post("/drill", {"camera": "gate"}, role).status == 403
    areas = {"mask": "[[[0,0],[1,0],[1,1]]]", "zones": "[]", "revision": "0" * 32}
    assert house.post("/zones/gate", areas, Role.MEMBER).status == 403
    assert house.post("/zones/gate/try", areas, Role.MEMBER).status == 403
    assert house.get("/zones/gate", Role.KIOSK).status == 403
    answer = house.post("/zones/gate", areas, Role.OWNER, confirmed=False)
    assert (answer.status, b'type="password"' in answer.body) == (403, True)
    assert all(camera.drill.report() is None for camera in house.parts.cameras)
    saw("no drill began, nothing was saved; the owner is asked for the password")


@attack(
    "live tokens that are not for this",
    how="pictures and streams asked with a token for another camera, one that was revoked, 200 guessed ones, a "
    "session's token, and none",
)
def test_a_live_token_opens_its_camera_only(house: Served, saw: Callable[[str], None]) -> None:
    assert house.parts is not None
    tokens, now = house.parts.store.page.live_tokens, datetime.now(UTC)
    for_gate, revoked = new_token(), new_token()
    tokens.make(token_hash(for_gate), "dashboard", ["gate"], "Anna", now)
    gone = tokens.make(token_hash(revoked), "old tablet", [], "Anna", now)
    tokens.revoke(gone.identifier)
    wrong = [revoked, token_of(Role.OWNER), "", "../" * 20, *(new_token() for _ in range(200))]
    said = {house.get(f"/live/front-door.jpg?token={for_gate}").body}
    for kind in ("jpg", "mjpeg"):
        assert house.get(f"/live/front-door.{kind}?token={for_gate}").status == 403
        assert house.get(f"/live/garage.{kind}?token={for_gate}").status == 403
    for token in wrong:
        answer = house.get(f"/live/gate.jpg?token={token}")
        assert answer.status in (400, 403), token
        assert not answer.body.startswith(JPEG)
    said.add(house.get(f"/live/garage.jpg?token={for_gate}").body)
    assert len(said) == 1  # whether there is such a camera is not told
    assert house.get("/live/gate.jpg").status == 303
    assert house.get(f"/live/gate.jpg?token={for_gate}").body.startswith(JPEG)
    assert house.get("/timeline", headers={"Cookie": f"facesecure={for_gate}"}).status == 303  # it is no session
    saw(f"{len(wrong)} were refused in the same words as a camera that there is not; the right one showed its camera")


@attack(
    "a hundred live sockets",
    how="100 WebSockets opened at once by browsers of four roles, which look and acknowledge nothing",
)
def test_a_hundred_sockets_keep_nobody_out(house: Served, saw: Callable[[str], None]) -> None:
    tokens = [token_of(role, confirmed) for role in Role for confirmed in (True, False)]
    with ExitStack() as stack:
        opened = [stack.enter_context(look(house, tokens[number % len(tokens)])) for number in range(100)]
        admitted = [live for live in opened if live.rejected is None]
        for live in admitted:
            live.say({"watch": ["front-door", "gate"], "width": 1280})
        began = time.monotonic()
        assert house.get("/live", Role.KIOSK).status == 200
        assert house.get("/live/gate.jpg", Role.KIOSK).body.startswith(JPEG)
        took = time.monotonic() - began
        assert 0 < len(admitted) <= 20
        assert screen.SOCKETS.taken == len(admitted)
    until = time.monotonic() + 15
    while screen.SOCKETS.taken and time.monotonic() < until:
        time.sleep(0.05)
    assert screen.SOCKETS.taken == 0
    assert not is_refused(house, tokens[0])
    assert took < 15
    saw(f"{len(admitted)} were let in, 4 for each session at most; a page and a picture took {took:.1f} s meanwhile; "
        "their places were free again once they had gone")  # fmt: skip


@attack(
    "browsers that acknowledge nothing",
    how="four WebSockets that look at two cameras, of which 60 frames come, and never say that a picture was drawn; "
    "then acknowledgements of pictures that were not sent",
)
def test_nothing_is_queued_for_a_browser_that_stalls(
    house: Served, monkeypatch: pytest.MonkeyPatch, saw: Callable[[str], None]
) -> None:
    monkeypatch.setattr(live_socket, "PATIENCE", 8.0)
    with ExitStack() as stack:
        stalled = [stack.enter_context(look(house, token_of(Role.VIEWER))) for _ in range(4)]
        for live in stalled:
            live.say({"watch": ["front-door", "gate"]})
        for step in range(1, 31):
            for camera in range(2):
                show(house, camera, float(step))
            time.sleep(0.03)
        for live in stalled:
            for number in range(1, 1000, 50):
                live.say({"camera": "gate", "number": -number})
        got = [_all_of(live) for live in stalled]
        assert got == [2, 2, 2, 2]
        assert [live.closed for live in stalled] == [live_socket.TOO_SLOW] * 4
    saw("each got one picture of each camera, and was let go when its time was over")


def _all_of(live: LiveSocket) -> int:
    count = 0
    while live.picture(20) is not None:
        count += 1
    return count


@attack(
    "guessed cameras",
    how="pictures, streams, masks and drills of 12 names that are no camera's: paths, encoded slashes, queries, 5,000 "
    "characters, of nobody's file",
)
def test_a_guessed_camera_is_no_file_and_no_hint(house: Served, saw: Callable[[str], None]) -> None:
    guesses = [
        "garage", "..%2f..%2fetc%2fpasswd", "%2e%2e", "front_door", "front-door%00", "front-door%0d%0aX:1", "x" * 5000,
        "gate.jpg", "gates%20", "%ff%fe", "*", "1",
    ]  # fmt: skip
    for guess in guesses:
        for path in (f"/live/{guess}.jpg", f"/live/{guess}.mjpeg", f"/zones/{guess}"):
            answer = house.get(path, Role.OWNER)
            assert answer.status in (400, 404, 414), path
            assert b"root:" not in answer.body
            assert "x" not in answer.headers
        assert house.post("/drill", {"camera": guess}, Role.OWNER).status in (400, 404)
    with look(house, token_of(Role.OWNER)) as live:
        live.say({"watch": [*guesses, "gate"]})
        head, _ = live.picture() or ({}, b"")
        assert head["camera"] == "gate"
        assert live.picture(1) is None
    saw("each is answered that there is nothing; the socket shows the one that exists")
