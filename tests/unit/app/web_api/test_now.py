"""What the first screen says, and who may arm and disarm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from facesecure.alerts.policy.arming import Arming
from facesecure.app.control.camera_report import CameraReport
from facesecure.app.web_api.guard import Guard
from facesecure.app.web_api.parts import WebParts
from facesecure.app.web_api.request import Request
from facesecure.app.web_api.verb import Client, Refused
from facesecure.app.web_api.verbs import now
from facesecure.domain.accounts import Role
from facesecure.domain.errors import SourceLost
from facesecure.domain.mode import Mode
from support.page_socket import SignedIn, page_parts, token_of
from support.store import STRANGER, known, sighting


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[WebParts]:
    with page_parts(tmp_path) as parts:
        yield parts


def ask(parts: WebParts, verb: str, role: Role, *, confirmed: bool = True, **arguments: Any) -> Any:
    guard = Guard({one.name: one for one in now.VERBS}, parts, SignedIn())
    request = Request(verb, arguments, token_of(role, confirmed), Client(), 0)
    return guard.answer(guard.admit(request)).result


def come(parts: WebParts, count: int) -> None:
    """Let ``count`` visitors come, one a minute."""
    for number in range(count):
        verdict = known("Anna") if number % 2 else STRANGER
        when = datetime.now(UTC) - timedelta(minutes=count - number)
        parts.store.record(sighting(f"{number:032x}", verdict, when))


def test_the_last_five_visits_are_told_newest_first(parts: WebParts) -> None:
    come(parts, 7)
    visits = ask(parts, "now", Role.VIEWER)["visits"]
    assert [int(visit["id"], 16) for visit in visits] == [6, 5, 4, 3, 2]
    assert [visit["name"] for visit in visits] == [None, "Anna", None, "Anna", None]


def test_a_kiosk_is_not_told_who_came(parts: WebParts) -> None:
    come(parts, 3)
    told = ask(parts, "now", Role.KIOSK)
    assert told["mode"] == "home"
    assert (told["visits"], told["to_name"]) == ([], [])
    assert "Anna" not in str(told)


class Lost:
    trouble = SourceLost("the front door gives no image", "check its plug")


def test_a_camera_without_an_image_is_a_trouble_with_what_to_do(parts: WebParts) -> None:
    parts = replace(parts, commands=replace(parts.commands, cameras=[CameraReport("front door", Lost())]))
    for role in Role:
        (trouble,) = ask(parts, "now", role)["troubles"]
        assert (trouble["kind"], trouble["name"]) == ("camera", "front door")
        assert (trouble["message"], trouble["hint"]) == ("the front door gives no image", "check its plug")


def test_what_is_wrong_with_the_state_directory_is_told_but_not_to_a_kiosk(parts: WebParts) -> None:
    parts = replace(parts, commands=replace(parts.commands, complaint="the disk is full", problems=lambda: ["changed"]))
    assert [one["message"] for one in ask(parts, "now", Role.VIEWER)["troubles"]] == ["the disk is full", "changed"]
    assert ask(parts, "now", Role.KIOSK)["troubles"] == []


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(
    ("before", "after", "least"),
    [
        (Mode.OFF, Mode.HOME, Role.KIOSK),
        (Mode.OFF, Mode.AWAY, Role.KIOSK),
        (Mode.HOME, Mode.AWAY, Role.KIOSK),
        (Mode.AWAY, Mode.AWAY, Role.KIOSK),
        (Mode.AWAY, Mode.HOME, Role.MEMBER),
    ],
)
def test_anybody_may_arm_more_strictly_and_a_member_less(
    parts: WebParts, role: Role, before: Mode, after: Mode, least: Role
) -> None:
    parts.commands.arming.arm(before)
    if role.includes(least):
        assert ask(parts, "arm", role, confirmed=False, mode=after.value)["mode"] == after
        assert parts.policy.mode is after
        return
    with pytest.raises(Refused) as error:
        ask(parts, "arm", role, mode=after.value)
    assert error.value.kind == "forbidden"
    assert parts.policy.mode is before


def test_a_kiosk_does_not_call_off_what_an_exit_delay_waits_for(parts: WebParts) -> None:
    parts = replace(parts, commands=replace(parts.commands, arming=Arming(parts.state_dir, exit_delay=60)))
    assert ask(parts, "arm", Role.KIOSK, mode="away")["leaving"] > 50
    with pytest.raises(Refused, match="needs a member"):
        ask(parts, "arm", Role.KIOSK, mode="home")
    assert parts.commands.arming.intended is Mode.AWAY
    ask(parts, "arm", Role.MEMBER, mode="home")
    assert (parts.commands.arming.intended, parts.commands.arming.leaving) == (Mode.HOME, None)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("confirmed", [True, False])
def test_only_a_member_who_gave_the_password_just_now_disarms(parts: WebParts, role: Role, confirmed: bool) -> None:
    if role.includes(Role.MEMBER) and confirmed:
        assert ask(parts, "disarm", role)["mode"] == "off"
        assert parts.policy.mode is Mode.OFF
        return
    with pytest.raises(Refused) as error:
        ask(parts, "disarm", role, confirmed=confirmed)
    assert error.value.kind == ("confirm" if role.includes(Role.MEMBER) else "forbidden")
    assert parts.policy.mode is Mode.HOME


@pytest.mark.parametrize("mode", ["off", "", "HOME", "x" * 100, None, 7])
def test_there_is_no_other_mode_to_arm_in(parts: WebParts, mode: Any) -> None:
    with pytest.raises(Refused) as error:
        ask(parts, "arm", Role.OWNER, mode=mode)
    assert (error.value.kind, error.value.argument) == ("invalid", "mode")


def test_a_new_mode_is_a_change_that_pages_hear_of(parts: WebParts) -> None:
    before = parts.changes.numbers()["mode"]
    ask(parts, "arm", Role.KIOSK, mode="away")
    assert parts.changes.numbers()["mode"] > before
