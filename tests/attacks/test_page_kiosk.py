"""Attacks at the tablet on the wall, where a member's password disarms: guesses, lower roles, and other sites."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.protocol import Refusal
from facesecure.domain.accounts import Role
from facesecure.domain.mode import Mode
from facesecure.services import audit
from support.faults.table import attack
from support.page.served import Served, served_house
from support.page_accounts import OTHER, PASSWORD, Page, Time
from support.page_socket import page_parts

Saw = Callable[[str], None]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[WebParts]:
    with page_parts(tmp_path / "state") as parts:
        parts.commands.arm({"mode": "away"})
        yield parts


@pytest.fixture
def page(parts: WebParts) -> Page:
    return Page(parts.store, Time(), commands=replace(parts.commands, record=partial(audit.record, parts.state_dir)))


def disarm(page: Page, token: str, name: str, password: str) -> Refusal | None:
    """Why the password does not disarm; None if it does."""
    given = {"name": name, "password": password, "mode": "off"}
    if password == PASSWORD and name in ("Anna", "Mia"):
        page.ask("arm-by-password", token, **given)
        return None
    return page.refusal("arm-by-password", token, **given).kind


def test_a_members_password_disarms_in_their_name_and_the_tablet_stays_a_kiosk(page: Page, parts: WebParts) -> None:
    page.account("Anna", Role.OWNER)
    page.account("Victor", Role.VIEWER)
    tablet = page.account("hall tablet", Role.KIOSK)
    page.link("Nobody yet", Role.MEMBER)
    assert page.ask("members", tablet) == {"names": ["Anna"]}
    assert disarm(page, tablet, "Anna", PASSWORD) is None
    assert parts.policy.mode is Mode.OFF
    last = audit.verify(parts.state_dir).entries[-1]
    assert (last.action, last.actor.name, last.actor.origin) == ("armed", "Anna", "page")
    session = page.ask("session", tablet)
    assert (session["account"], session["role"]) == ("hall tablet", "kiosk")
    assert page.refusal("disarm", tablet).kind is Refusal.FORBIDDEN
    assert page.refusal("timeline", tablet).kind is Refusal.FORBIDDEN


@attack(
    "passwords guessed at the tablet on the wall",
    how="2,000 guesses of a member's password, one a second, with a restart after each hundred, also after signing the "
    "tablet in anew",
)
def test_guesses_at_the_tablet_are_limited_beyond_a_restart(page: Page, parts: WebParts, saw: Saw) -> None:
    page.account("Mia", Role.MEMBER)
    tablet = page.account("hall tablet", Role.KIOSK)
    before = page.hasher.checked
    for number in range(2000):
        page.time.wait(1)
        if number % 100 == 0:
            page.begin()
        if number % 500 == 499:
            page.time.wait(900)
            tablet = str(page.ask("sign-in", tablet, name="hall tablet", password=PASSWORD)["token"])
        assert disarm(page, tablet, "Mia", f"wrong word {number}") in (Refusal.INVALID, Refusal.LIMITED)
    checked = page.hasher.checked - before
    assert checked < 60
    assert disarm(page, tablet, "Mia", "wrong word") is Refusal.LIMITED
    assert parts.policy.mode is Mode.AWAY
    page.time.wait(900)
    assert disarm(page, tablet, "Mia", PASSWORD) is None
    assert 0 < page.actions().count("sign-in-refused") <= checked
    saw(f"{checked} of 2,000 were looked at; the right one disarms after a quarter of an hour")


@attack(
    "passwords at the tablet on the wall that are nobody's who may disarm",
    how="the right passwords of a viewer, of the tablet itself, of a removed member and of one whose password was made "
    "void, and names that no account has",
)
def test_only_a_members_password_counts_and_others_are_not_told_apart(page: Page, parts: WebParts, saw: Saw) -> None:
    owner = page.account("Olga", Role.OWNER)
    for name, role in (("Victor", Role.VIEWER), ("Ben", Role.MEMBER), ("Cem", Role.MEMBER)):
        page.account(name, role, OTHER)
    tablet = page.account("hall tablet", Role.KIOSK, OTHER)
    page.ask("remove-account", owner, name="Ben")
    page.ask("reset-account", owner, name="Cem")
    names = ("Victor", "hall tablet", "Ben", "Cem", "nobody", "\u202e", "-")
    refused = []
    for name in names:
        page.time.wait(1000)
        refused.append(page.refusal("arm-by-password", tablet, name=name, password=OTHER, mode="off"))
    told = {(one.kind, one.message, one.hint, one.argument) for one in refused}
    assert told == {
        (Refusal.INVALID, "the name or the password is wrong", "check both; capital letters count", "password")
    }
    assert page.hasher.checked == len(names)
    assert parts.policy.mode is Mode.AWAY
    saw(f"{len(names)} of {len(names)} refused in the same words, after the same work; the house stays armed")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served_house(tmp_path) as served:
        yield served


@attack(
    "another site's page sends a password in the browser of the tablet",
    how="the form that disarms, from evil.example, from a sandbox, and without saying where it comes from",
)
def test_no_other_site_can_send_a_password_to_the_tablet(house: Served, saw: Saw) -> None:
    assert house.parts is not None
    house.parts.commands.arm({"mode": "away"})
    body = b"mode=off&name=Olga&password=four+words+of+mine"
    for origin in ("https://evil.example", "null", None):
        headers = {**FORM, "Origin": origin}
        assert house.ask("POST", "/mode/password", Role.KIOSK, headers, body).status == 403
    assert house.ask("GET", "/mode/password?mode=off&name=Olga&password=x", Role.KIOSK).status == 200
    assert house.parts.policy.mode is Mode.AWAY
    assert house.post("/mode/password", {"mode": "off", "name": "Olga", "password": "x"}).status == 303  # to sign in
    saw("3 of 3 refused; what stands in an address does nothing")
