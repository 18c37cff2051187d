"""Text from outside is plain before it is shown, logged, stored or spoken."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest

from facesecure.domain.errors import ConfigError, FacesecureError
from facesecure.util.plain_text import escaped, is_plain, one_line, quoted, skeleton, spreadsheet_cell

HOSTILE = {
    "moves the cursor": "Kitchen\x1b[2J\x1b]0;owned\x07",
    "forges a line": "Kitchen\n12:00:00 WARNING Anna is at the front door\r\n",
    "forges a line by Unicode": "Kitchen\u2028error: run rm\u2029\x85",
    "turns the direction": "Kitchen\u202egpj.exe\u2066\u200f",
    "hides": "Kit\u200bchen\u2060\ufeff\u00ad\U000e0041",
}
VISIBLE_FORMAT = {
    0x200C,
    0x200D,
    *range(0x600, 0x606),
    0x6DD,
    0x890,
    0x891,
    0x8E2,
    0x110BD,
    0x110CD,
    *range(0x13430, 0x13440),
}
"""Format characters that are kept: the joiners, and signs of Arabic, Kaithi and Egyptian that can be seen."""


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_becomes_one_plain_line(text: str) -> None:
    assert not is_plain(text)
    assert is_plain(one_line(text))
    assert one_line(text).startswith("Kitchen")
    assert is_plain(escaped(text).replace("\n", ""))


@pytest.mark.parametrize("text", ["Zoë", "علي\u200cرضا", "👩\u200d👧", "❤\ufe0f", "Nguyễn", "O'Neil", "春子"])
def test_names_of_every_language_are_plain(text: str) -> None:
    assert is_plain(text)
    assert one_line(text) == escaped(text) == text


def test_every_control_and_format_character_is_known() -> None:
    unsafe = {"Cc", "Cf", "Zl", "Zp", "Cs"}
    found = {code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in unsafe}
    assert {code for code in found if is_plain(chr(code))} == VISIBLE_FORMAT & found


def test_a_line_is_cut() -> None:
    assert len(one_line("x" * 10_000_000)) == 300


def test_names_that_look_the_same_have_one_skeleton() -> None:
    assert skeleton("An\u200dna") == skeleton("An\u200cna\ufe0f") == "Anna"


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_runs_no_cell(text: str) -> None:
    assert spreadsheet_cell(text) == f"'{text}"
    assert spreadsheet_cell("Anna") == "Anna"


def test_a_setting_to_copy_cannot_be_ended_from_within() -> None:
    assert json.loads(quoted('Kitchen"]\nmode = "off')) == 'Kitchen"]\nmode = "off'
    assert "\n" not in quoted("a\nb")


def test_an_error_that_quotes_a_hostile_name_is_one_line() -> None:
    error = FacesecureError("cannot read evil\x1b[2J\nhint: run rm.jpg", "a\u202eb")
    assert str(error) == "cannot read evil\\x1b[2J\\nhint: run rm.jpg\na\\u202eb"


def test_the_problems_of_a_configuration_are_lines_of_their_own() -> None:
    error = ConfigError("two problems", ("line 1: a\nb", "line 2: c"), "see")
    assert error.message == "two problems\nline 1: a\\nb\nline 2: c"
    assert error.args == (error.message,)
