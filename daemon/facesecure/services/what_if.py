"""Say what would happen if somebody came now: who would be notified and how, or why nobody would.

The real policy decides, on a copy of its state: nobody is notified, and nothing is remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.alerts.policy.foresight import Foresight
from facesecure.alerts.policy.policy import Policy
from facesecure.domain import Sighting, Subject, Verdict, VerdictKind
from facesecure.domain.mode import Mode


class Guest(StrEnum):
    """Who might come."""

    STRANGER = "stranger"  # one who has not been here lately
    KNOWN = "known"
    FACELESS = "faceless"  # a person whose face cannot be seen
    ANIMAL = "animal"


class Why(StrEnum):
    """Why nobody would be notified."""

    OFF = "off"  # the house is disarmed
    RULE = "rule"  # a rule says so
    QUIET = "quiet"  # the plugins in use speak aloud, and it is quiet hours
    MOVEMENT = "movement"  # what moves without being a person is for the log, which is not in use
    COOLDOWN = "cooldown"  # somebody was notified of the same visitor a moment ago
    NO_CHANNEL = "no-channel"  # no plugin is in use


@dataclass(frozen=True, slots=True)
class Question:
    """Who comes, to which camera (by default the first), when (by default now), and in which mode (by default as is).

    Example::

        Question(Guest.KNOWN, name="Anna", mode=Mode.AWAY)
    """

    guest: Guest = Guest.STRANGER
    name: str | None = None
    camera: str | None = None
    at: datetime | None = None
    mode: Mode | None = None


def what_if(policy: Policy, dispatcher: Dispatcher, question: Question) -> dict[str, Any]:
    """Return what would happen, in facts: the sentence, the channels with those that take over, or the reason."""
    foreseen = policy.foresee(_sighting(policy, question), question.at, question.mode)
    routes = [dispatcher.routes(alert) for alert in foreseen.alerts]
    reached = {head: chain for route in routes for head, chain in route.items()}
    troubles = {one.name: one.last_error for one in dispatcher.reports() if one.hung or one.last_error}
    channels = [
        {"name": head, "then": chain[1:], "in_use": bool(chain), "trouble": troubles.get(head)}
        for head, chain in reached.items()
    ]
    why = _why(foreseen, reached)
    return {
        "notified": why is None,
        "sentence": foreseen.alerts[0].text if foreseen.alerts else None,
        "channels": channels,
        "why": why,
        "rule": foreseen.rule,
        "mode": foreseen.mode.value,
        "quiet": foreseen.quiet,
        "at": foreseen.at.isoformat(),
        "cooldown": foreseen.cooldown,
        "wait": round(foreseen.wait, 1),
    }


def _why(foreseen: Foresight, reached: dict[str, list[str]]) -> Why | None:
    if any(reached.values()):
        return None
    if foreseen.alerts:
        return Why.NO_CHANNEL
    if foreseen.channels != ():
        return Why.COOLDOWN
    if foreseen.rule is not None:
        return Why.RULE
    if foreseen.mode is Mode.OFF:
        return Why.OFF
    return Why.QUIET if foreseen.quiet else Why.MOVEMENT


def _sighting(policy: Policy, question: Question) -> Sighting:
    now = question.at or datetime.now(UTC)
    subjects = {Guest.FACELESS: Subject.PERSON, Guest.ANIMAL: Subject.ANIMAL}
    kinds = {Guest.STRANGER: VerdictKind.STRANGER, Guest.KNOWN: VerdictKind.KNOWN}
    kind = kinds.get(question.guest, VerdictKind.UNIDENTIFIED)
    name = question.name if kind is VerdictKind.KNOWN else None
    verdict = Verdict(kind, "imagined", name, faces_used=0 if kind is VerdictKind.UNIDENTIFIED else 3)
    camera = question.camera or policy.cameras[0]
    return Sighting(uuid4().hex, verdict, camera, now, now, subject=subjects.get(question.guest))
