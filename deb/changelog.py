"""Write the changelog of the package in Debian's format, from the releases in CHANGELOG.md.

.venv/bin/python -m deb.changelog VERSION SECONDS
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime

from deb.version import ROOT

FILE = ROOT / "CHANGELOG.md"
_WIDTH = 76
_RELEASE = re.compile(r"^## \[(?P<version>\d+\.\d+\.\d+)\] - (?P<day>\d{4}-\d\d-\d\d)$", re.MULTILINE)
_PIECE = re.compile(r"^(?:### (?P<group>.+)|- (?P<item>.+(?:\n  .+)*))$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Release:
    """A release in CHANGELOG.md: its version, its day, and the items of each group, in their order."""

    version: str
    day: date
    groups: tuple[tuple[str, tuple[str, ...]], ...]


def releases(text: str) -> list[Release]:
    """Return the releases in ``text``, newest first; what is not released yet is none."""
    found = list(_RELEASE.finditer(text))
    ends = [*(one.start() for one in found[1:]), len(text)]
    return [
        Release(one["version"], date.fromisoformat(one["day"]), tuple(_groups(text[one.end() : end])))
        for one, end in zip(found, ends, strict=True)
    ]


def document(text: str, version: str, seconds: int) -> str:
    """Return the changelog of the package with ``version``, made of the releases in ``text``.

    A version that is not released yet gets an entry of its own, dated ``seconds`` after 1970.
    """
    number, _, suite = version.partition("~")
    known = releases(text)
    entries = [_entry(f"{one.version}~{suite}".rstrip("~"), _noon(one.day), one.groups) for one in known]
    if number not in [one.version for one in known]:
        unreleased = (("", ("What is new stands in CHANGELOG.md of the source.",)),)
        entries.insert(0, _entry(version, datetime.fromtimestamp(seconds, UTC), unreleased))
    return "\n".join(entries)


def _groups(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    group, items = "", list[str]()
    for piece in _PIECE.finditer(text):
        if piece["item"]:
            items.append(" ".join(piece["item"].split()))
            continue
        if items:
            yield group, tuple(items)
        group, items = piece["group"], []
    if items:
        yield group, tuple(items)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _entry(version: str, when: datetime, groups: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    lines = [f"facesecure ({version}) stable; urgency=medium", ""]
    for group, items in groups:
        lines += [f"  [ {group} ]"] if group else []
        lines += [line for item in items for line in _item(item)]
        lines.append("")
    return "\n".join([*lines, f" -- The facesecure authors <facesecure@localhost>  {format_datetime(when)}", ""])


def _item(text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent="  * ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


if __name__ == "__main__":
    sys.stdout.write(document(FILE.read_text(), sys.argv[1], int(sys.argv[2])))
