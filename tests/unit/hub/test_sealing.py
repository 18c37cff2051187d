"""What is sealed for one place opens there, with its key, and nowhere else."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from facesecure.hub.errors import NotGenuineError
from facesecure.hub.sealing import (
    PERSON,
    SIGHTING,
    SIZES,
    DataKey,
    Place,
    household_key_place,
    person_key_place,
    seal,
    unambiguous,
    unseal,
    unwrap,
    wrap,
)

KEY = DataKey.made()
PLACE = Place("e" * 32, "visitor", "v1", 3)
LOW_ORDER = [
    bytes(32),
    bytes([1]) + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
]
"""X25519 public keys with which everybody gets the same secret (RFC 7748, section 6.1)."""


@settings(max_examples=50)
@given(st.binary(max_size=5000))
def test_what_was_sealed_opens_again(plain: bytes) -> None:
    sealed = seal(KEY, plain, PLACE)
    assert unseal(KEY, sealed, PLACE) == plain
    assert len(sealed) in SIZES


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(PLACE, estate="f" * 32),
        replace(PLACE, kind="marked"),
        replace(PLACE, identifier="v2"),
        replace(PLACE, version=2),
        replace(PLACE, version=4),
    ],
)
def test_a_document_opens_in_no_other_place(elsewhere: Place) -> None:
    with pytest.raises(NotGenuineError):
        unseal(KEY, seal(KEY, b"Anna", PLACE), elsewhere)


def test_a_document_opens_with_no_other_key() -> None:
    sealed = seal(KEY, b"Anna", PLACE)
    for key in (DataKey.made(), DataKey(KEY.secret, 2)):
        with pytest.raises(NotGenuineError):
            unseal(key, sealed, PLACE)


def test_every_changed_byte_is_found() -> None:
    sealed = seal(KEY, b"Anna", PLACE)
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(NotGenuineError):
            unseal(KEY, changed, PLACE)


@pytest.mark.parametrize("size", [0, 1, 5, 16, 17, 36, 37, 1023, 1025, 4096])
def test_a_truncated_or_longer_document_is_refused(size: int) -> None:
    sealed = seal(KEY, b"Anna", PLACE)
    with pytest.raises(NotGenuineError):
        unseal(KEY, (sealed * 4)[:size], PLACE)


def test_the_size_does_not_tell_one_face_from_five() -> None:
    face = 9000
    sizes = {len(seal(KEY, bytes(face * faces), replace(PLACE, kind=PERSON))) for faces in range(1, 6)}
    assert sizes == {SIZES[3]}
    assert {len(seal(KEY, bytes(size), replace(PLACE, kind=SIGHTING))) for size in (0, 2048, 9000)} == {SIZES[2]}


def test_what_is_larger_than_the_largest_size_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="too long"):
        seal(KEY, bytes(SIZES[-1]), PLACE)
    assert len(seal(KEY, bytes(SIZES[-1] - 37), PLACE)) == SIZES[-1]


def test_the_same_document_is_never_sealed_to_the_same_bytes() -> None:
    assert len({seal(KEY, b"away", PLACE) for _ in range(20)}) == 20


def test_a_key_opens_only_for_its_door() -> None:
    mine, others = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    place = person_key_place("e" * 32, "a" * 32, "d" * 32)
    wrapped = wrap(KEY, mine.public_key().public_bytes_raw(), place)
    assert unwrap(mine, wrapped, place) == KEY
    with pytest.raises(NotGenuineError):
        unwrap(others, wrapped, place)


@pytest.mark.parametrize(
    "elsewhere",
    [
        person_key_place("e" * 32, "b" * 32, "d" * 32),
        person_key_place("e" * 32, "a" * 32, "c" * 32),
        person_key_place("f" * 32, "a" * 32, "d" * 32),
        household_key_place("e" * 32, "a" * 32, 1, "d" * 32),
    ],
)
def test_a_wrapped_key_cannot_be_moved(elsewhere: Place) -> None:
    mine = X25519PrivateKey.generate()
    place = person_key_place("e" * 32, "a" * 32, "d" * 32)
    with pytest.raises(NotGenuineError):
        unwrap(mine, wrap(KEY, mine.public_key().public_bytes_raw(), place), elsewhere)


def test_every_changed_byte_of_a_wrapped_key_is_found() -> None:
    mine = X25519PrivateKey.generate()
    wrapped = wrap(KEY, mine.public_key().public_bytes_raw(), PLACE)
    for at in range(len(wrapped)):
        with pytest.raises(NotGenuineError):
            unwrap(mine, wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :], PLACE)
    for size in range(len(wrapped)):
        with pytest.raises(NotGenuineError):
            unwrap(mine, wrapped[:size], PLACE)


@pytest.mark.parametrize("point", LOW_ORDER)
def test_points_of_low_order_are_refused(point: bytes) -> None:
    with pytest.raises(NotGenuineError):
        wrap(KEY, point, PLACE)
    with pytest.raises(NotGenuineError):
        unwrap(X25519PrivateKey.generate(), b"\x01" + point + secrets.token_bytes(52), PLACE)


@pytest.mark.parametrize("encoded", [b"", bytes(36), b"\0\0\0\1" + bytes(31), b"\0\0\0\1" + bytes(33)])
def test_what_is_no_key_is_refused(encoded: bytes) -> None:
    with pytest.raises(NotGenuineError):
        DataKey.decode(encoded)


def test_no_other_parts_give_the_same_bytes() -> None:
    assert unambiguous("ab", "c") != unambiguous("a", "bc")
    assert unambiguous("a", "") != unambiguous("a")


def test_no_key_shows_itself() -> None:
    assert KEY.secret.hex() not in repr(KEY)
    assert str(KEY.secret) not in repr(KEY)
