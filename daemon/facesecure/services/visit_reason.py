"""Why a visit was notified, or not: by the alerts that are stored, and by the rules as they are now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from facesecure.alerts.policy.rules import NO_CHANNELS, RuleContext, RuleSet
from facesecure.alerts.policy.visit import visit_key
from facesecure.domain import Alert, AlertKind, VerdictKind
from facesecure.domain.deliveries import MQTT
from facesecure.domain.errors import UsageError
from facesecure.domain.mode import Mode
from facesecure.domain.records import StoredSighting
from facesecure.domain.timeline import TimelineVisit
from facesecure.storage.store import Store

_DECIDED = timedelta(seconds=30)
"""Longest time from the end of a visit to the alert about it."""


class Reason(StrEnum):
    """Why there is an alert about a visit, or none."""

    NOTIFIED = "notified"
    REPLACED = "replaced"  # it was judged again: the later sighting was decided on
    HELD_BACK = "held-back"  # within the cool-down of an alert about the same visitor
    RULES = "rules"  # by the rules of now, nobody is notified of it
    DISARMED = "disarmed"  # the house was disarmed
    OTHERWISE = (
        "otherwise"  # by the rules of now there would be an alert: they were others, or somebody disarmed in time
    )
    UNKNOWN = "unknown"  # of a visit whose mode is not stored: the house was disarmed, or the rules were others


@dataclass(frozen=True, slots=True)
class WhyTold:
    """The ``reason``; where it is HELD_BACK, the ``alert`` before it and its ``cooldown`` in seconds."""

    reason: Reason
    alert: Alert | None = None
    cooldown: float | None = None


def why_told(store: Store, rules: RuleSet, visit: TimelineVisit) -> WhyTold:
    """Return why a visit was notified or not. Raises StoreError."""
    if any(_notifies(one.alert) for one in visit.alerts):
        return WhyTold(Reason.NOTIFIED)
    if visit.sighting.superseded_by is not None:
        return WhyTold(Reason.REPLACED)
    outcome = rules.outcome(_context(visit.sighting))
    mode = visit.sighting.mode
    if outcome.channels == NO_CHANNELS:
        return WhyTold(Reason.DISARMED if mode is Mode.OFF else Reason.RULES)
    before = _alert_before(store, visit.sighting, outcome.cooldown)
    if before is not None:
        return WhyTold(Reason.HELD_BACK, before, outcome.cooldown)
    return WhyTold(Reason.UNKNOWN if mode is None else Reason.OTHERWISE)


def _context(seen: StoredSighting) -> RuleContext:
    kind = AlertKind(seen.verdict.kind.value)
    doubted = kind is AlertKind.KNOWN and bool(seen.doubt)
    mode = seen.mode or Mode.HOME
    return RuleContext(kind, seen.verdict.name, mode, seen.first_seen, seen.source, doubted, seen.subject)


def _alert_before(store: Store, seen: StoredSighting, cooldown: float) -> Alert | None:
    """Return the latest alert about the same visitor within ``cooldown`` seconds before the end of a visit."""
    since = seen.first_seen - timedelta(seconds=cooldown)
    found = store.outbox.between(since, seen.last_seen + _DECIDED)
    told = (one.alert for one in reversed(found) if _notifies(one.alert))
    return next((alert for alert in told if _same_visitor(store, seen, alert)), None)


def _notifies(alert: Alert) -> bool:
    """Return whether ``alert`` was decided on by the rules: MQTT gets every visit."""
    return alert.channels != (MQTT,)


def _same_visitor(store: Store, seen: StoredSighting, alert: Alert) -> bool:
    other = alert.sighting
    if other is None or other.identifier == seen.identifier or other.verdict.kind is not seen.verdict.kind:
        return False
    if seen.verdict.kind is VerdictKind.STRANGER:
        return seen.visitor is not None and seen.visitor == _visitor(store, other.identifier)
    kind = AlertKind(other.verdict.kind.value)
    keys = [
        visit_key(kind, one.verdict.name, one.source, doubted=bool(one.doubt), subject=one.subject)
        for one in (seen, other)
    ]
    return keys[0] == keys[1]


def _visitor(store: Store, sighting: str) -> int | None:
    try:
        return store.timeline.sighting(sighting).visitor
    except UsageError:  # removed since
        return None
