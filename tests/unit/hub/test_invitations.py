"""The manager lets in who has the code: once, in time, with what it promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from facesecure.hub.codes import JoinCode
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity import DoorKeys
from facesecure.hub.invitations import Given, GivenInvitations, request_mac
from facesecure.hub.rows import JoinRequest, Right
from support.estate import NOW

ESTATE = "e" * 32
CODE = JoinCode.made(ESTATE, "postgresql+psycopg://hub.lan/facesecure", b"")
GIVEN = Given(CODE.invitation, CODE.mac_key, "garage", "home", frozenset({Right.ARM}), NOW + timedelta(hours=1))


def request_with(code: JoinCode, keys: DoorKeys) -> JoinRequest:
    request = JoinRequest(code.invitation, keys.box_key, keys.sign_key, bytes(32))
    return replace(request, mac=request_mac(code.mac_key, ESTATE, request))


def test_the_door_with_the_code_is_let_in_and_may_ask_again() -> None:
    request = request_with(CODE, DoorKeys.made())
    used = GIVEN.check(request, ESTATE, NOW)
    assert used.check(request, ESTATE, NOW + timedelta(days=1)) == used


def test_a_used_code_lets_nobody_else_in() -> None:
    used = GIVEN.check(request_with(CODE, DoorKeys.made()), ESTATE, NOW)
    with pytest.raises(NotGenuineError, match="used before"):
        used.check(request_with(CODE, DoorKeys.made()), ESTATE, NOW)


def test_an_expired_code_lets_nobody_in() -> None:
    with pytest.raises(NotGenuineError, match="expired"):
        GIVEN.check(request_with(CODE, DoorKeys.made()), ESTATE, NOW + timedelta(hours=1, seconds=1))


def test_a_request_without_the_secret_is_refused() -> None:
    right = request_with(CODE, DoorKeys.made())
    other = replace(CODE, secret=bytes(16))
    eve = DoorKeys.made()
    for wrong in (
        request_with(other, eve),
        replace(right, box_key=eve.box_key),
        replace(right, sign_key=eve.sign_key),
        replace(right, box_key=right.sign_key, sign_key=right.box_key),
        replace(right, mac=bytes(32)),
        replace(right, mac=right.mac[:16]),
        replace(right, mac=right.mac + bytes(1)),
    ):
        with pytest.raises(NotGenuineError, match="not made with the code"):
            GIVEN.check(wrong, ESTATE, NOW)


def test_a_request_for_another_estate_is_refused() -> None:
    with pytest.raises(NotGenuineError):
        GIVEN.check(request_with(CODE, DoorKeys.made()), "f" * 32, NOW)


def test_invitations_are_kept_encrypted_and_forgotten(tmp_path: Path) -> None:
    invitations = GivenInvitations(tmp_path)
    assert invitations.get(GIVEN.identifier) is None
    invitations.put(GIVEN)
    assert GivenInvitations(tmp_path).get(GIVEN.identifier) == GIVEN
    assert invitations.all() == [GIVEN]
    content = b"".join(path.read_bytes() for path in (tmp_path / "hub").iterdir())
    assert b"garage" not in content
    assert GIVEN.mac_key.hex().encode() not in content
    invitations.remove(GIVEN.identifier)
    assert invitations.all() == []
    assert invitations.get(GIVEN.identifier) is None
