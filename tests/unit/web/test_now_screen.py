"""The first screen as a browser without JavaScript gets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facesecure.domain.accounts import Role
from facesecure.domain.mode import Mode
from support.page.served import Served, served_house
from support.store import STRANGER, known, sighting

HOSTILE = "<img src=x onerror=alert('x')>"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served_house(tmp_path) as served:
        yield served


def come(house: Served, name: str, camera: str = "front door", minutes: int = 5) -> None:
    """Let somebody come who is known as ``name``, so many minutes ago."""
    assert house.parts is not None
    when = datetime.now(UTC) - timedelta(minutes=minutes, seconds=10)
    verdict = known(name) if name else STRANGER
    house.parts.store.record(replace(sighting(f"{minutes:032x}", verdict, when), source=camera))


def test_the_state_is_said_in_a_sentence(house: Served) -> None:
    come(house, "Anna", minutes=5)
    come(house, "", minutes=9)
    text = " ".join(re.sub(r"<[^>]+>", "", house.get("/", Role.VIEWER).text).split())
    assert "Armed, somebody is home" in text
    assert "Last: Anna, 5 min ago." in text


def test_the_button_that_was_pressed_is_reported_once(house: Served) -> None:
    done = house.post("/mode", {"mode": "away"}, Role.MEMBER)
    (cookie,) = re.findall(r"done=[a-z-]+", done.headers["set-cookie"])
    both = {"Cookie": f"facesecure=token-of-the-member-confirmed; {cookie}"}
    shown = house.ask("GET", "/", None, both)
    assert 'role="status">Armed: nobody is home.<' in shown.text
    assert shown.headers["set-cookie"].startswith('done=""')
    assert re.findall(r'value="(\w+)" aria-pressed="true"', shown.text) == ["away"]


@pytest.mark.parametrize("value", ["<script>alert(1)</script>", "nothing-like-it", "../../x", '"'])
def test_only_what_a_screen_reports_is_reported(house: Served, value: str) -> None:
    both = {"Cookie": f"facesecure=token-of-the-member-confirmed; done={value}"}
    assert 'role="status"' not in house.ask("GET", "/", None, both).text


def test_names_from_outside_are_shown_as_they_are_spelled(house: Served) -> None:
    come(house, HOSTILE, camera="<script>alert(1)</script>")
    for path in ("/", "/now/state", "/now/visits", "/timeline"):
        html = house.get(path, Role.OWNER).text
        assert "<script>alert" not in html
        assert "<img src=x" not in html
    assert "&lt;img src=x onerror=alert(&#39;x&#39;)&gt;" in house.get("/now/visits", Role.OWNER).text


@pytest.mark.parametrize("part", ["nothing", "../now", "state.html", "%2e%2e"])
def test_there_are_no_other_parts(house: Served, part: str) -> None:
    assert house.get(f"/now/{part}", Role.OWNER).status == 404


@pytest.mark.parametrize("mode", ["", "on", "AWAY", "away off", "<script>"])
def test_there_is_no_other_mode(house: Served, mode: str) -> None:
    assert house.post("/mode", {"mode": mode}, Role.OWNER).status == 400
    assert house.parts is not None
    assert house.parts.policy.mode is Mode.HOME


def test_a_kiosk_finds_the_buttons_that_lower_the_guard_switched_off(house: Served) -> None:
    assert house.post("/mode", {"mode": "away"}, Role.KIOSK).status == 303
    html = house.get("/", Role.KIOSK).text
    assert re.findall(r'value="(\w+)"[^>]* disabled', html) == ["home", "off"]
    assert house.post("/mode", {"mode": "off"}, Role.KIOSK).status == 403
    assert house.post("/mode", {"mode": "home"}, Role.VIEWER).status == 403
    assert house.post("/mode", {"mode": "home"}, Role.MEMBER).status == 303
