"""A certificate says what the authority signed, or is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from facesecure.hub.errors import NotGenuineError
from facesecure.hub.identity import Authority, Certificate, DoorKeys, checked_certificate, estate_of
from facesecure.hub.rows import Right
from facesecure.hub.sealing import unambiguous
from support.estate import Estate

AUTHORITY = Authority.made()
ESTATE = estate_of(AUTHORITY.public)
KEYS = DoorKeys.made()
CERTIFICATE = Certificate(
    ESTATE, "d" * 32, "Küche", "a" * 32, frozenset({Right.VIEW}), KEYS.box_key, KEYS.sign_key, serial=7
)


def signed(body: bytes, authority: Authority = AUTHORITY) -> bytes:
    return authority.sign(unambiguous("facesecure hub 1", "certificate", body)) + body


def test_a_certificate_is_read_as_it_was_signed() -> None:
    assert checked_certificate(AUTHORITY.certify(CERTIFICATE), AUTHORITY.public, ESTATE) == CERTIFICATE


def test_a_certificate_of_another_authority_is_refused() -> None:
    with pytest.raises(NotGenuineError):
        checked_certificate(Authority.made().certify(CERTIFICATE), AUTHORITY.public, ESTATE)


def test_a_certificate_for_another_estate_is_refused() -> None:
    other = replace(CERTIFICATE, estate="b" * 32)
    with pytest.raises(NotGenuineError, match="another estate"):
        checked_certificate(AUTHORITY.certify(other), AUTHORITY.public, ESTATE)


def test_every_changed_byte_is_found() -> None:
    encoded = AUTHORITY.certify(CERTIFICATE)
    for at in range(len(encoded)):
        changed = encoded[:at] + bytes([encoded[at] ^ 1]) + encoded[at + 1 :]
        with pytest.raises(NotGenuineError):
            checked_certificate(changed, AUTHORITY.public, ESTATE)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 100, 5000])
def test_truncated_and_long_certificates_are_refused(size: int) -> None:
    encoded = AUTHORITY.certify(CERTIFICATE)
    with pytest.raises(NotGenuineError):
        checked_certificate((encoded * 20)[:size], AUTHORITY.public, ESTATE)


@pytest.mark.parametrize(
    "changes",
    [
        {"serial": "7"},
        {"serial": 0},
        {"serial": True},
        {"rights": ["view", "rule"]},
        {"rights": "view"},
        {"removed": "no"},
        {"name": "../../x"},
        {"name": ""},
        {"door": "D" * 32},
        {"box_key": "00"},
        {"box_key": None},
        {"more": 1},
    ],
)
def test_even_a_signed_certificate_has_to_be_one(changes: dict[str, object]) -> None:
    values = json.loads(CERTIFICATE.body()) | changes
    with pytest.raises(NotGenuineError):
        checked_certificate(signed(json.dumps(values, sort_keys=True).encode()), AUTHORITY.public, ESTATE)


@pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b"\xff", b"[" * 3000, b"1e999"])
def test_what_is_signed_and_no_certificate_is_refused(body: bytes) -> None:
    with pytest.raises(NotGenuineError):
        checked_certificate(signed(body), AUTHORITY.public, ESTATE)


def test_a_signature_of_a_document_is_none_of_a_certificate() -> None:
    body = CERTIFICATE.body()
    with pytest.raises(NotGenuineError):
        checked_certificate(AUTHORITY.sign(body) + body, AUTHORITY.public, ESTATE)


def test_the_authority_gives_a_household_the_same_key_again() -> None:
    again = Authority(AUTHORITY.secret)
    home = AUTHORITY.household("Home")
    assert again.household("home") == home != AUTHORITY.household("flat 3")
    assert again.household_key(home, 2) == AUTHORITY.household_key(home, 2)
    different = {AUTHORITY.household_key(home, version).secret for version in range(1, 5)}
    assert len({*different, Authority.made().household_key(home, 1).secret}) == 5


def test_the_name_of_a_household_does_not_follow_from_its_identifier_alone() -> None:
    assert AUTHORITY.household("home") != Authority.made().household("home")


def test_a_removed_door_may_nothing() -> None:
    removed = replace(CERTIFICATE, rights=frozenset(Right), removed=True)
    assert not any(removed.may(right) for right in Right)


def test_an_identity_shows_no_secret() -> None:
    identity = Estate().door("front", manager=True)
    shown = repr(identity)
    assert identity.password not in shown
    assert all(secret.hex() not in shown and str(secret) not in shown for secret in identity.keys.secrets)
    assert identity.authority is not None
    assert str(identity.authority.secret) not in shown
