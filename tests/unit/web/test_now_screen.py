"""The first screen as a browser without JavaScript gets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facesecure.alerts.plugins.recording import RecordingPlugin
from facesecure.alerts.policy.entry_delay import Entry, EntryPhase
from facesecure.app.presence import ArmedHouse
from facesecure.config.presence import PresenceConfig
from facesecure.domain.accounts import Role
from facesecure.domain.doors import LastVisit, OtherDoor
from facesecure.domain.mode import Mode
from facesecure.domain.presence import Whereabouts
from facesecure.services import accounts
from facesecure.services.presence import Presence
from facesecure.services.presence_file import PresenceFile
from facesecure.services.sign_in import Browser
from facesecure.util.clock import SystemClock
from support.page.served import Served, served_house
from support.page_accounts import PASSWORD
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


def test_a_kiosk_disarms_by_the_password_of_a_member(house: Served) -> None:
    assert house.parts is not None
    assert "/mode/password" not in house.get("/", Role.MEMBER).text
    assert "No member has an account with a password yet." in house.get("/mode/password", Role.KIOSK).text
    link = accounts.invite(house.parts.store, HOSTILE, Role.MEMBER)
    assert house.parts.sign_in is not None
    house.parts.sign_in.accept(link.code, PASSWORD, Browser())
    assert house.post("/mode", {"mode": "away"}, Role.KIOSK).status == 303
    assert 'href="/mode/password"' in house.get("/", Role.KIOSK).text
    form = house.get("/mode/password", Role.KIOSK).text
    assert "&lt;img src=x" in form
    assert 'type="password"' in form
    wrong = house.post("/mode/password", {"mode": "off", "name": HOSTILE, "password": "wrong"}, Role.KIOSK)
    assert wrong.status == 400
    assert "the name or the password is wrong" in wrong.text
    assert "selected" in wrong.text
    assert house.post("/mode/password", {"mode": "on", "name": HOSTILE, "password": PASSWORD}, Role.KIOSK).status == 400
    assert house.parts.policy.mode is Mode.AWAY
    for mode in (Mode.HOME, Mode.OFF):
        right = {"mode": mode.value, "name": HOSTILE, "password": PASSWORD}
        assert house.post("/mode/password", right, Role.KIOSK).status == 303
        assert house.parts.policy.mode is mode


def follow_presence(house: Served) -> Presence:
    """Let the house follow the presence of Anna and of somebody with a hostile name."""
    assert house.parts is not None
    commands, clock = house.parts.commands, SystemClock()
    file = PresenceFile(house.parts.state_dir, clock)
    to_nobody = ArmedHouse(commands, house.parts.policy, house.parts.dispatcher)
    presence = Presence(PresenceConfig(people=["Anna", "<b>Tom<b>"], arm=True), to_nobody, file, clock)
    commands.presence.append(presence)
    return presence


def test_a_member_says_who_is_at_home_and_others_do_not(house: Served) -> None:
    presence = follow_presence(house)
    assert house.post("/presence", {"name": "Anna", "where": "home"}, Role.MEMBER).status == 303
    assert presence.people[0].where is Whereabouts.HOME
    text = " ".join(re.sub(r"<[^>]+>", "", house.get("/", Role.VIEWER).text).split())
    assert "Anna: at home (just now)" in text
    assert "&lt;b&gt;Tom&lt;b&gt;" in house.get("/", Role.VIEWER).text
    assert "Has left" in house.get("/", Role.MEMBER).text
    assert "Has left" not in house.get("/", Role.VIEWER).text
    assert "Anna" not in house.get("/", Role.KIOSK).text
    for role in (Role.KIOSK, Role.VIEWER):
        assert house.post("/presence", {"name": "Anna", "where": "away"}, role).status == 403
    for wrong in ({"name": "Anna", "where": "unknown"}, {"name": "", "where": "home"}, {"where": "home"}):
        assert house.post("/presence", wrong, Role.MEMBER).status == 400
    assert house.post("/presence", {"name": "Berta", "where": "home"}, Role.MEMBER).status >= 400
    assert presence.people[0].where is Whereabouts.HOME


def test_the_seconds_that_are_left_are_shown(house: Served) -> None:
    presence = follow_presence(house)
    for one in presence.people:
        presence.report(one.name, Whereabouts.AWAY)
    assert re.search(
        r"Everybody has left. Armed away in\s*<span data-left=\"(300|2[89]\d)\">\1 s<", house.get("/", Role.VIEWER).text
    )
    assert house.parts is not None
    commands = house.parts.commands
    for entry, words in (
        (Entry(EntryPhase.PENDING, 19.4), r"the alarm follows in\s*<span data-left=\"20\">20 s<"),
        (Entry(EntryPhase.TRIGGERED, 60.0), "Alarm: nobody disarmed in time."),
    ):
        object.__setattr__(commands, "entry", lambda entry=entry: entry)
        assert re.search(words, house.get("/", Role.KIOSK).text)
        assert re.search(words, house.get("/arm", Role.VIEWER).text)


def test_the_screen_of_the_hours_says_what_happens_when_people_come_and_leave(tmp_path: Path) -> None:
    settings = {
        "policy": {"mode": "away", "entry_delay": 30, "exit_delay": 60, "known_disarms": ["Anna"]},
        "presence": {"people": ["Anna"], "arm": True, "disarm": True},
    }
    with served_house(tmp_path, **settings) as house:
        follow_presence(house)
        assert house.parts is not None
        house.parts.dispatcher.attach({"recording": RecordingPlugin()})
        text = " ".join(re.sub(r"<[^>]+>", "", house.get("/arm?mode=away", Role.VIEWER).text).split())
        other = house.get("/arm?mode=away&guest=known", Role.VIEWER).text
    for words in (
        "Away applies 1 min after it was set.", "an alarm waits 30 s for somebody to disarm", "in daylight: Anna.",
        "When everybody has left, it is armed away.", "away becomes home",
        "The alert waits 30 s for somebody to disarm.",
    ):  # fmt: skip
        assert words in text
    assert "The alert waits" not in other


def doors() -> list[OtherDoor]:
    now = datetime.now(UTC)
    return [
        OtherDoor("a" * 32, "garage", now, last_visit=LastVisit("known", now, "yard", "Anna")),
        OtherDoor("b" * 32, HOSTILE, now - timedelta(minutes=9), silent=True, lost=("yard",)),
        OtherDoor("c" * 32, "shed"),
    ]


def with_doors(house: Served) -> None:
    assert house.parts is not None
    house.parts.commands.others.append(doors)


@pytest.mark.parametrize("path", ["/", "/health", "/now/doors"])
def test_the_other_doors_are_shown(house: Served, path: str) -> None:
    with_doors(house)
    shown = house.get(path, Role.VIEWER).text
    text = " ".join(re.sub(r"<[^>]+>", " ", shown).split())
    assert "Watching garage Last: Anna (yard), just now." in text
    assert "No image: yard It told something last 9 min ago." in text
    assert "Not heard of shed It has not told anything yet." in text
    assert HOSTILE not in shown


def test_who_came_to_another_door_is_not_shown_on_the_wall(house: Served) -> None:
    with_doors(house)
    assert "Anna" not in house.get("/", Role.KIOSK).text
