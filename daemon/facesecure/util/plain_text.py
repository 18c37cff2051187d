r"""Make text from outside plain before it reaches a terminal, a log, a setting or a spreadsheet.

Names on the network, file names, answers of cameras and errors of libraries may hold control characters that move the
cursor, line breaks that forge a line of the log, marks that turn the direction of writing (Unicode TR 36, "Trojan
Source"), and characters that cannot be seen. Two joiners are kept, which Persian and emoji need: U+200C and U+200D.
"""

from __future__ import annotations

import json
import re

LONGEST_LINE = 300
"""Characters of a line from outside that are kept."""

_UNSEEN = (
    "\u00ad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_UNSAFE = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_UNSEEN}]")
_JOINERS = re.compile("[\u200c\u200d\ufe00-\ufe0f]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def escaped(text: str) -> str:
    r"""Return ``text`` with each character that is not plain written by its code; line breaks and tabs are kept.

    Example::

        escaped("\x1b[2Jhallo\u202e")  # "\\x1b[2Jhallo\\u202e"
    """
    return _UNSAFE.sub(_code, text)


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """Return ``text`` from outside as one line of at most ``longest`` characters, without what is not plain."""
    return " ".join(_UNSAFE.sub("", " ".join(text[: 4 * longest].split())).split())[:longest]


def is_plain(text: str) -> bool:
    """Return whether ``text`` has no line break, tab or other character that is not plain."""
    return not _UNSAFE.search(text) and not re.search(r"[\n\t]", text)


def skeleton(text: str) -> str:
    """Return ``text`` without the characters of a name that cannot be seen by themselves, joiners included."""
    return _JOINERS.sub("", _UNSAFE.sub("", text))


def spreadsheet_cell(text: str) -> str:
    """Return ``text`` so that a spreadsheet shows it and does not run it as a formula (OWASP, "CSV injection")."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def quoted(text: str) -> str:
    """Return ``text`` as a string of a TOML or JSON file, for a line that a user is to copy."""
    return json.dumps(text, ensure_ascii=False)


def _code(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
