"""A code is read as it was printed, and nothing else is taken for one."""

from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesecure.domain.errors import UsageError
from facesecure.hub.codes import JoinCode

URL = "postgresql+psycopg://hub.lan:5433/facesecure"
CODE = JoinCode.made("e" * 32, URL, b"certificate " * 40)


def test_a_code_is_read_however_it_was_copied() -> None:
    text = CODE.text
    for copied in (text, text.lower(), text.replace("-", ""), text.replace("-", " \n"), f"  {text}\n"):
        assert JoinCode.parsed(copied) == CODE
    assert JoinCode.parsed(text.replace("O", "0").replace("I", "1").replace("B", "8")) == CODE


def test_a_code_without_a_certificate_is_short_enough_to_type() -> None:
    assert len(JoinCode.made("e" * 32, URL, b"").text.split("-")) <= 30


@pytest.mark.parametrize("text", ["", "-", "hello", "AAAA-AAAA", "ABCD" * 30, "é" * 40, "A" * 100_000])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        JoinCode.parsed(text)


def test_a_code_with_a_mistake_or_a_missing_end_is_refused() -> None:
    text = CODE.text.replace("-", "")
    for at in range(0, len(text), 7):
        wrong = text[:at] + ("A" if text[at] != "A" else "C") + text[at + 1 :]
        with pytest.raises(UsageError):
            JoinCode.parsed(wrong)
        with pytest.raises(UsageError):
            JoinCode.parsed(text[:at])


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_no_bytes_at_all_break_it(content: bytes) -> None:
    with pytest.raises(UsageError):
        JoinCode.parsed(base64.b32encode(content).decode())


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://eve:pw@hub.lan/facesecure",
        "postgresql+psycopg:///facesecure?service=x",
        "http://hub.lan/x",
    ],
)
def test_a_code_cannot_bring_settings_along(url: str) -> None:
    with pytest.raises(UsageError):
        JoinCode.parsed(JoinCode.made("e" * 32, url, b"").text)


def test_what_follows_from_the_secret_is_different_each_time_and_for_each_purpose() -> None:
    code = JoinCode.parsed(CODE.text)
    assert (code.invitation, code.password, code.mac_key) == (CODE.invitation, CODE.password, CODE.mac_key)
    codes = [JoinCode.made("e" * 32, URL, b"") for _ in range(50)]
    everything = [
        value for one in codes for value in (one.invitation, one.password, one.mac_key.hex(), one.secret.hex())
    ]
    assert len(set(everything)) == 200


def test_a_thousand_guesses_find_no_invitation() -> None:
    guesses = random.Random(7)
    found = {JoinCode(guesses.randbytes(16), CODE.estate, URL).invitation for _ in range(1000)}
    assert CODE.invitation not in found


def test_a_code_shows_no_secret() -> None:
    assert CODE.secret.hex() not in repr(CODE)
    assert str(CODE.secret) not in repr(CODE)
