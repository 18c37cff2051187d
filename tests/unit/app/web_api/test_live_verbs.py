"""What the page gets of the cameras: pictures, for whoever may see them, and nothing of others."""

from dataclasses import replace
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from facesecure.app.web_api.build import all_verbs
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.request import Request
from facesecure.app.web_api.verb import Client, Refused
from facesecure.app.web_api.verbs import live
from facesecure.domain.accounts import Role
from facesecure.services.sessions import new_token, token_hash
from support.builders import frame_at
from support.page_cameras import cameras
from support.page_socket import SignedIn, page_parts, token_of

KIOSK = token_of(Role.KIOSK)


@pytest.fixture
def parts(tmp_path):
    two = [{"name": "front door", "source": "picamera2:0"}, {"name": "Küche", "source": "rtsp://10.0.0.2/1"}]
    with page_parts(tmp_path, cameras=two, motion={"mask": [[0.0, 0.0, 0.5, 0.5]]}) as parts:
        yield replace(parts, cameras=cameras(parts.config))


@pytest.fixture
def ask(parts):
    guard = Guard(all_verbs(live.VERBS), parts, SignedIn())

    def ask(verb, arguments=None, token=KIOSK):
        return guard.answer(guard.admit(Request(verb, arguments or {}, token, Client(), 0)))

    return ask


def size_of(jpeg: bytes) -> tuple[int, int]:
    height, width, _ = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape
    return width, height


def test_cameras_are_told_with_the_words_for_addresses(parts, ask):
    parts.cameras[0].view.look(frame_at(0), [])
    door, kitchen = ask("cameras").result["cameras"]
    assert (door["camera"], door["name"], door["size"], door["number"]) == ("front-door", "front door", (320, 240), 1)
    assert 0 <= door["age"] < 5
    assert (kitchen["camera"], kitchen["name"], kitchen["size"]) == ("kuche", "Küche", None)
    assert ask("cameras").result["live_minutes"] == parts.config.web.live_minutes


def test_a_kiosk_is_not_told_where_nothing_is_watched(ask):
    assert "mask" not in ask("cameras").result["cameras"][0]
    corners = [(0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5)]
    assert ask("cameras", token=token_of(Role.VIEWER)).result["cameras"][0]["mask"] == [corners]


def test_a_picture_comes_with_its_number_and_age(parts, ask):
    parts.cameras[1].view.look(frame_at(5), [])
    for name in ("kuche", "Küche", "KÜCHE"):
        answer = ask("frame", {"camera": name, "width": 320})
        assert size_of(answer.body) == (320, 240)
        assert (answer.result["camera"], answer.result["number"]) == ("kuche", 1)
        assert answer.result["taken_at"] == frame_at(5).wall_time.isoformat()
    assert not parts.cameras[1].view.watched


def test_a_program_that_waits_for_the_next_picture_has_the_camera_decoded(parts, ask):
    parts.cameras[0].view.look(frame_at(0), [])
    assert ask("frame", {"camera": "front-door", "after": 1, "seconds": 0.05}).result["number"] == 1
    assert parts.cameras[0].view.watched
    assert not parts.cameras[1].view.watched


def test_before_the_first_frame_that_is_said(ask):
    with pytest.raises(Refused, match="no image from the Küche") as refused:
        ask("frame", {"camera": "kuche"})
    assert refused.value.kind is Refusal.MISSING


@pytest.mark.parametrize("name", ["garage", "../../etc/passwd", "front-door\n", "front_door", "x" * 80])
def test_there_is_no_other_camera(parts, ask, name):
    parts.cameras[0].view.look(frame_at(0), [])
    for verb, arguments in (("frame", {"camera": name}), ("next-frame", {"seen": {name: None}})):
        with pytest.raises(Refused) as refused:
            ask(verb, arguments)
        assert refused.value.kind is Refusal.MISSING
        assert name not in refused.value.message


@pytest.mark.parametrize(
    "arguments",
    [
        {"camera": "front-door", "width": 4096},
        {"camera": "front-door", "seconds": 3600},
        {"camera": "front-door", "after": -1},
        {"camera": "x" * 81},
        {"camera": ["front-door"]},
        {"camera": "front-door", "path": "/etc"},
    ],
)
def test_odd_arguments_are_refused(ask, arguments):
    with pytest.raises(Refused) as refused:
        ask("frame", arguments)
    assert refused.value.kind is Refusal.INVALID


def test_the_next_picture_is_of_whichever_camera_has_one(parts, ask):
    for camera in parts.cameras:
        camera.view.look(frame_at(0), [])
    assert ask("next-frame", {"seen": {"kuche": 1, "front-door": None}}).result["camera"] == "front-door"
    assert ask("next-frame", {"seen": {"kuche": 1, "front-door": 1}, "seconds": 0.05}).result == {"camera": None}
    assert all(camera.view.watched for camera in parts.cameras)


def test_nobody_sees_a_camera_without_signing_in(ask):
    for verb, arguments in (("cameras", {}), ("frame", {"camera": "kuche"}), ("next-frame", {"seen": {"kuche": None}})):
        with pytest.raises(Refused) as refused:
            ask(verb, arguments, token=None)
        assert refused.value.kind is Refusal.SIGNED_OUT


def test_a_token_shows_its_own_cameras_until_it_is_revoked(parts, ask):
    secret, now = new_token(), datetime.now(UTC)
    made = parts.store.page.live_tokens.make(token_hash(secret), "dashboard", ["front door"], "Anna", now)
    for camera in parts.cameras:
        camera.view.look(frame_at(0), [])

    def look(camera, secret=secret):
        return ask("token-frame", {"camera": camera, "secret": secret}, token=None)

    assert size_of(look("front-door").body) == (320, 240)
    assert parts.store.page.live_tokens.find(token_hash(secret)).used_at is not None
    ask("token-frame", {"camera": "front-door", "secret": secret, "after": 1, "seconds": 0.05}, token=None)
    assert not parts.cameras[0].view.watched
    said = set()
    for camera, given in (("kuche", secret), ("garage", secret), ("front-door", new_token()), ("front-door", "x")):
        with pytest.raises(Refused) as refused:
            look(camera, given)
        said.add((refused.value.kind, refused.value.message))
    assert len(said) == 1
    parts.store.page.live_tokens.revoke(made.identifier)
    with pytest.raises(Refused):
        look("front-door")
