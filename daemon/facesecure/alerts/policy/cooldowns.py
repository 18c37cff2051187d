"""Recent notifications and what was suppressed since: immutable values, replaced when something changes.

A cool-down runs from the last notification about a visitor, on a clock that never jumps, and suppresses alerts about
that visitor alone. A known person is recognised by name, a stranger by face; a stranger without a face that can be
compared always counts as a new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from facesecure.alerts.policy.rules import Channels, union
from facesecure.alerts.policy.visit import VisitAppearance, VisitToNotify
from facesecure.domain import AlertKind
from facesecure.recognition.visitor_matching import MatchVisitor

REMEMBERED = 86400.0
"""Seconds after which a visitor is forgotten here, with the suppressed visits."""
MAX_VISITORS = 256
_MAX_APPEARANCES = 8
"""Visits of one stranger that are compared with a newcomer's."""
_MAX_EARLIER = 16
_MAX_SUPPRESSED = 999
_MAX_COMPLETE = 8
"""Suppressed visits that are kept whole; of older ones only the identifier is."""


@dataclass(frozen=True, slots=True)
class SuppressedVisit:
    """A visit that was not notified, at ``camera``. ``visit`` is None if it was long ago, or before a restart."""

    identifier: str
    visit: VisitToNotify | None = None
    camera: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class NotifiedVisit:
    """A visitor notified at ``at`` (steady seconds) through ``channels``, with the sighting ``identifier``.

    ``camera`` is the one that saw it, empty for events of the service.

    ``key`` distinguishes visitors of one kind by name, or troubles by their word; ``appearances`` distinguish them by
    face. ``earlier`` are the sightings of their previous notifications.
    """

    kind: AlertKind
    key: str
    identifier: str
    at: float
    channels: Channels = None
    camera: str = ""
    appearances: tuple[tuple[str, VisitAppearance], ...] = ()
    suppressed: tuple[SuppressedVisit, ...] = ()
    earlier: tuple[str, ...] = ()

    def with_appearance(self, identifier: str, appearance: VisitAppearance | None) -> NotifiedVisit:
        """Return a copy with the appearance of one more visit, or a better one of a visit it has already."""
        if appearance is None:
            return self
        others = tuple(pair for pair in self.appearances if pair[0] != identifier)
        return replace(self, appearances=(*others, (identifier, appearance))[-_MAX_APPEARANCES:])

    def has(self, identifier: str) -> bool:
        """Return whether the sighting ``identifier`` is this visitor's."""
        suppressed = (one.identifier for one in self.suppressed)
        return identifier in (self.identifier, *self.earlier) or identifier in suppressed

    def notified_again(self, visit: VisitToNotify, at: float, channels: Channels) -> NotifiedVisit:
        """Return the same visitor after another notification, with ``visit``: no suppressed visits are left."""
        earlier = (*self.earlier, self.identifier)[-_MAX_EARLIER:]
        again = replace(notified_visit_of(visit, at, channels), appearances=self.appearances, earlier=earlier)
        return again.with_appearance(visit.sighting.identifier, visit.appearance)

    def suppressing(self, visit: VisitToNotify) -> NotifiedVisit:
        """Return a copy with ``visit`` suppressed."""
        identifier = visit.sighting.identifier
        return self.suppressing_one(identifier, visit).with_appearance(identifier, visit.appearance)

    def suppressing_one(self, identifier: str = "", visit: VisitToNotify | None = None) -> NotifiedVisit:
        """Return a copy with one more suppressed visit; of all but the latest only the identifiers are kept."""
        older = tuple(replace(one, visit=None) for one in self.suppressed[:-_MAX_COMPLETE])
        latest = self.suppressed[-_MAX_COMPLETE:]
        newest = SuppressedVisit(identifier, visit, visit.camera if visit else "")
        return replace(self, suppressed=(*older, *latest, newest)[-_MAX_SUPPRESSED:])

    def suppresses(self, visit: VisitToNotify, channels: Channels) -> bool:
        """Return whether whoever an alert about ``visit`` reaches through ``channels`` was notified already.

        Where two cameras notify different channels, the second may reach somebody whom the first did not.
        """
        return visit.camera == self.camera or union(self.channels, channels) == self.channels

    @property
    def route(self) -> list[str]:
        """The cameras that saw the suppressed visits, in order."""
        return [one.camera for one in self.suppressed if one.camera]

    def without(self, identifier: str) -> NotifiedVisit:
        """Return a copy without the sighting ``identifier``, which was another person's."""
        return replace(
            self,
            suppressed=tuple(one for one in self.suppressed if one.identifier != identifier),
            appearances=tuple(pair for pair in self.appearances if pair[0] != identifier),
            earlier=tuple(one for one in self.earlier if one != identifier),
        )


@dataclass(frozen=True, slots=True)
class NotificationHistory:
    """The visitors and system events notified recently, the latest last.

    Example::

        history = NotificationHistory().adding(notified_visit_of(visit, at=now, channels=None), now)
        history.find(visit, now, cooldown=300.0, match=None)  # the same visitor
    """

    visits: tuple[NotifiedVisit, ...] = ()

    def find(
        self, visit: VisitToNotify, now: float, cooldown: float, match: MatchVisitor | None
    ) -> NotifiedVisit | None:
        """Return the earlier notification about the visitor of ``visit``, if there is one.

        Strangers are compared by ``match``, and only with those whose cool-down runs or who have suppressed visits.
        """
        if visit.kind is AlertKind.STRANGER:
            alike = [one for one in self.visits if one.kind is visit.kind]
            current = [one for one in alike if one.suppressed or now - one.at < cooldown]
            return _same_stranger(visit.appearance, current, match)
        return self.by_key(visit.kind, visit.key)

    def by_key(self, kind: AlertKind, key: str) -> NotifiedVisit | None:
        """Return the notification of ``kind`` about the person or trouble with ``key``."""
        return next((one for one in self.visits if one.kind is kind and one.key == key), None)

    def by_sighting(self, identifier: str | None) -> NotifiedVisit | None:
        """Return the visitor who was notified with the sighting ``identifier``."""
        if identifier is None:
            return None
        return next((one for one in self.visits if identifier in (one.identifier, *one.earlier)), None)

    def departed(self, visit: VisitToNotify, now: float, cooldown: float) -> list[NotifiedVisit]:
        """Return strangers with suppressed visits whose cool-down is over and who did not come again.

        Their suppressed visits are counted with the next stranger, ``visit``.
        """
        if visit.kind is not AlertKind.STRANGER:
            return []
        return [one for one in self.visits if one.kind is visit.kind and one.suppressed and now - one.at >= cooldown]

    def adding(
        self, notified: NotifiedVisit, now: float, instead_of: Iterable[NotifiedVisit | None] = ()
    ) -> NotificationHistory:
        """Return the history with ``notified``, without ``instead_of`` and without what is too old or too much."""
        removed = [id(one) for one in instead_of]
        kept = [one for one in self.visits if id(one) not in removed and now - one.at < REMEMBERED]
        return NotificationHistory((*kept, notified)[-MAX_VISITORS:])

    def replacing(self, old: NotifiedVisit, new: NotifiedVisit | None) -> NotificationHistory:
        """Return the history with ``new`` in the place of ``old``, or without ``old`` if ``new`` is None."""
        visits = (new if one is old else one for one in self.visits)
        return NotificationHistory(tuple(one for one in visits if one is not None))

    def retracting(self, identifier: str | None) -> tuple[NotificationHistory, NotifiedVisit | None]:
        """Return the history without the sighting ``identifier``, and the visitor notified with it, if any.

        If it was their last notification, the visitor counts as not notified: the cool-down ends, and the caller
        decides again on the visits it suppressed.
        """
        wrong = self.by_sighting(identifier)
        if identifier is None:
            return self, None
        if wrong is not None and wrong.identifier == identifier:
            return self.replacing(wrong, None), wrong
        return NotificationHistory(tuple(one.without(identifier) for one in self.visits)), wrong

    def with_appearance(self, identifier: str, appearance: VisitAppearance | None) -> NotificationHistory:
        """Return the history with a better appearance of the visit ``identifier``."""
        return NotificationHistory(
            tuple(one.with_appearance(identifier, appearance) if one.has(identifier) else one for one in self.visits)
        )


def notified_visit_of(visit: VisitToNotify, at: float, channels: Channels) -> NotifiedVisit:
    """Return the record of a new visitor, notified with ``visit``."""
    notified = NotifiedVisit(visit.kind, visit.key, visit.sighting.identifier, at, channels, visit.camera)
    return notified.with_appearance(visit.sighting.identifier, visit.appearance)


def _same_stranger(
    appearance: VisitAppearance | None, strangers: list[NotifiedVisit], match: MatchVisitor | None
) -> NotifiedVisit | None:
    if appearance is None or match is None:
        return None
    visits = {
        number: [past.visit for _, past in one.appearances if past.model_sha256 == appearance.model_sha256]
        for number, one in enumerate(strangers)
    }
    matched = match(appearance.visit, {number: past for number, past in visits.items() if past})
    return None if matched is None else strangers[matched]
