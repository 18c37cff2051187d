"""Visits in words, the same on every screen: who it was, for how long, who was told, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from facesecure.web.language import Language
from facesecure.web.times import time_of

Visit = Mapping[str, Any]
"""A visit as the verbs ``timeline`` and ``visit`` answer it."""

_TIMES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_COUNTS = tuple(f"Visitor %(number)s, {word} time" for word in _TIMES)
_OFTEN = "Visitor %(number)s, %(count)s times so far"
_SUBJECTS = {
    "person": "A person, no face seen",
    "animal": "An animal",
    "vehicle": "A vehicle",
    "": "Something moved",
    None: "No usable face",
}
_ON_ITS_WAY = ("pending", "attempting")
_LOGS = frozenset({"log", "journal"})
"""Channels that nobody hears."""
_HOUSEHOLD = "household"
"""The channel of alerts that wait for other doors."""

TEXTS = (
    *_COUNTS,
    _OFTEN,
    *_SUBJECTS.values(),
    "%(name)s, or a picture",
    "A stranger",
    "Reached: %(channels)s",
    "Not reached: %(channels)s",
    "On its way: %(channels)s",
    "Noted in the log only",
    "Nobody was notified",
    "Another door notified",
)
"""The texts of this module, for the test of the catalogues."""


def who(visit: Visit, _: Language) -> str:
    """Return who it was: "Anna", "Visitor 7, third time", "An animal"."""
    if visit["verdict"] == "known":
        return _("%(name)s, or a picture", name=visit["name"]) if visit["doubt"] else str(visit["name"])
    if visit["verdict"] == "stranger":
        return visitor(visit["visitor"], visit["count"], _) if visit.get("visitor") else _("A stranger")
    return _(_SUBJECTS[visit["subject"]])


def visitor(number: int, count: int | None, _: Language) -> str:
    """Return the visitor with their so manieth visit."""
    if count is not None and 1 <= count <= len(_COUNTS):
        return _(_COUNTS[count - 1], number=number)
    return _(_OFTEN, number=number, count=count or 1)


def colour(visit: Visit) -> str:
    """Return the verdict as ``parts.badge`` names it."""
    return "doubt" if visit["doubt"] else str(visit["verdict"])


def duration(visit: Visit) -> float:
    """Return how long it lasted, in seconds."""
    return (time_of(visit["last_seen"]) - time_of(visit["first_seen"])).total_seconds()


@dataclass(frozen=True, slots=True)
class Heard:
    """One line about who was told, and whether it is good news: "ok", "warning" or "plain"."""

    text: str
    kind: str = "plain"


def heard(visit: Visit, _: Language) -> list[Heard]:
    """Return who was told of a visit, in a line for each outcome."""
    states: dict[str, str] = {}
    for told in visit["told"]:
        for delivery in told["deliveries"]:
            if states.get(delivery["channel"]) != "delivered":
                states[delivery["channel"]] = delivery["state"]
    if states.get(_HOUSEHOLD) == "withdrawn" and _by_another_door(visit):
        return [Heard(_("Another door notified"), "ok")]
    if not states:
        return [Heard(_("Nobody was notified"))]
    audible = {channel: state for channel, state in states.items() if channel not in _LOGS}
    if not audible:
        return [Heard(_("Noted in the log only"))]
    reached = [channel for channel, state in audible.items() if state == "delivered"]
    waiting = [channel for channel, state in audible.items() if state in _ON_ITS_WAY]
    missed = [channel for channel in audible if channel not in (*reached, *waiting)]
    lines = (
        ("Reached: %(channels)s", reached, "ok"),
        ("On its way: %(channels)s", waiting, "plain"),
        ("Not reached: %(channels)s", missed, "warning"),
    )
    return [Heard(_(text, channels=", ".join(channels)), kind) for text, channels, kind in lines if channels]


def _by_another_door(visit: Visit) -> bool:
    """Return whether an alert was taken back because another door notified, not because it was wrong."""
    deliveries = (one for told in visit["told"] for one in told["deliveries"] if one["channel"] == _HOUSEHOLD)
    return any(one["state"] == "withdrawn" and one["error"].startswith("the door ") for one in deliveries)


def by_day(visits: Sequence[Visit]) -> list[tuple[str, list[Visit]]]:
    """Return the visits of each day, under the time of the first of them; their order stays."""
    days: list[tuple[str, list[Visit]]] = []
    for visit in visits:
        date = time_of(visit["first_seen"]).date()
        if not days or time_of(days[-1][0]).date() != date:
            days.append((visit["first_seen"], []))
        days[-1][1].append(visit)
    return days
