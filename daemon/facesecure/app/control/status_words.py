"""The state of the daemon in words: the line of ``facesecure status``, and who was seen last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from facesecure.alerts.policy.entry_delay import Entry, EntryPhase
from facesecure.domain import Subject, VerdictKind
from facesecure.domain.mode import Mode

WATCHING = "watching"
_UNIDENTIFIED: Mapping[Subject | None, str] = {
    Subject.PERSON: "an unidentified person",
    Subject.ANIMAL: "an animal",
    Subject.VEHICLE: "a vehicle",
}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class LastSeen:
    """The latest sighting: its verdict, its name if known, when it ended, and what was seen without a usable face."""

    kind: VerdictKind
    name: str | None
    at: datetime
    subject: Subject | None = None

    @property
    def words(self) -> str:
        """A name, "a stranger", "an unidentified person", "an animal", "a vehicle" or "an unidentified visitor"."""
        if self.name or self.kind is VerdictKind.STRANGER:
            return self.name or "a stranger"
        return _UNIDENTIFIED.get(self.subject, "an unidentified visitor")


def status_line(
    mode: Mode,
    people: int,
    last: LastSeen | None,
    now: datetime,
    *,
    camera: str = WATCHING,
    quiet: bool = False,
    soon: str = "",
) -> str:
    """Return the state of the daemon in one line, for ``facesecure status``.

    ``people``: the number who can be recognised. ``camera``: its state ("watching", "no image from the front door").
    ``quiet``: whether it is within the quiet hours. ``soon``: what an entry or exit delay waits for.
    """
    enrolled = "no one enrolled" if people == 0 else "1 person" if people == 1 else f"{people} people"
    seen = f"last seen {last.words} {ago(last.at, now)}" if last else "no one seen yet"
    armed = mode.words + (" (quiet hours)" if quiet else "")
    return ", ".join(filter(None, [camera, armed, soon, enrolled, seen]))


def entry_words(leaving: float | None, entry: Entry) -> str:
    """Return what an entry or exit delay waits for, in words; empty if there is none."""
    if leaving is not None:
        return f"armed away in {leaving:.0f} s"
    if entry.phase is EntryPhase.PENDING:
        return f"alarm in {entry.seconds:.0f} s unless disarmed"
    return "alarm" if entry.phase is EntryPhase.TRIGGERED else ""


def ago(then: datetime, now: datetime) -> str:
    """Return how long ago ``then`` was, as "12 min ago"; "just now" if the clock was set back since."""
    seconds = (now - then).total_seconds()
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min ago"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h ago"
    days = int(seconds // _DAY)
    return "yesterday" if days == 1 else f"{days} days ago"


def last_seen_document(last: LastSeen | None, now: datetime) -> dict[str, Any] | None:
    """Return ``last`` as JSON."""
    if last is None:
        return None
    return {
        "verdict": last.kind.value,
        "name": last.name,
        "at": last.at.isoformat(),
        "ago": ago(last.at, now),
        "subject": last.subject,
    }
