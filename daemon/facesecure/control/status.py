"""How things stand, in one line that a person can use: "watching, armed away, 4 people, last seen Anna 12 min ago"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from facesecure.arming import Mode
from facesecure.domain import VerdictKind

_MINUTE, _HOUR, _DAY = 60, 3600, 86400

WATCHING = "watching"


@dataclass(frozen=True, slots=True)
class LastSeen:
    """Who was at the door last, as far as anybody can tell, and when."""

    kind: VerdictKind
    name: str | None
    at: datetime

    @property
    def words(self) -> str:
        """A name, "a stranger", or "somebody"."""
        return self.name or ("a stranger" if self.kind is VerdictKind.STRANGER else "somebody")


def status_line(
    mode: Mode, people: int, last: LastSeen | None, now: datetime, *, camera: str = WATCHING, quiet: bool = False
) -> str:
    """One line for systemd's STATUS= and for ``facesecure status``.

    ``people``: how many are enrolled. ``camera``: what it does ("watching", "camera offline"). ``quiet``: it is within
    the quiet hours.
    """
    who = "nobody enrolled" if people == 0 else "1 person" if people == 1 else f"{people} people"
    seen = f"last seen {last.words} {ago(last.at, now)}" if last else "nobody seen yet"
    return ", ".join([camera, mode.words + (" (quiet hours)" if quiet else ""), who, seen])


def ago(then: datetime, now: datetime) -> str:
    """How long ago ``then`` was, as people say it. A ``then`` to come (the clock was set back) is "just now"."""
    seconds = (now - then).total_seconds()
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min ago"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h ago"
    days = int(seconds // _DAY)
    return "yesterday" if days == 1 else f"{days} days ago"
