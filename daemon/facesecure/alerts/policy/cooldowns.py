"""Who was told of lately, and what was held back since: values, changed by making new ones.

A cool-down runs from the last time that a visitor was told of, on a clock that never jumps, and holds back that
visitor alone. Somebody known is told by the name, a stranger by the face; a stranger with no face that can be compared
is always somebody new.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from facesecure.alerts.policy.rules import Channels
from facesecure.alerts.policy.visit import VisitAppearance, VisitToNotify
from facesecure.domain import AlertKind
from facesecure.recognition.visitor_matching import MatchVisitor

REMEMBERED = 86400.0
"""Seconds after which a visitor is forgotten here, and what was held back with them."""
MOST = 256
_LOOKS = 8
"""Visits of one stranger that are compared with a newcomer's."""
_EARLIER = 16
_HELD = 999
_WHOLE = 8


@dataclass(frozen=True, slots=True)
class SuppressedVisit:
    """What was not told. ``seen`` is None where it was long ago, or before a restart."""

    identifier: str
    seen: VisitToNotify | None = None


@dataclass(frozen=True, slots=True, eq=False)
class NotifiedVisit:
    """A visitor who was told of at ``at`` (steady seconds) by ``channels``, with the sighting of that identifier.

    ``key`` tells visitors of one kind apart where a name, or a trouble, does; ``looks`` where only a face does.
    ``earlier`` are the sightings that they were told of with before.
    """

    kind: AlertKind
    key: str
    identifier: str
    at: float
    channels: Channels = None
    looks: tuple[tuple[str, VisitAppearance], ...] = ()
    held: tuple[SuppressedVisit, ...] = ()
    earlier: tuple[str, ...] = ()

    def looking_like(self, identifier: str, look: VisitAppearance | None) -> NotifiedVisit:
        """With one visit's look more, or a better one of the same visit."""
        if look is None:
            return self
        others = tuple(pair for pair in self.looks if pair[0] != identifier)
        return replace(self, looks=(*others, (identifier, look))[-_LOOKS:])

    def has(self, identifier: str) -> bool:
        """Whether the sighting of that identifier is this visitor's."""
        return identifier in (self.identifier, *self.earlier) or any(h.identifier == identifier for h in self.held)

    def again(self, seen: VisitToNotify, at: float, channels: Channels) -> NotifiedVisit:
        """The same visitor told of once more, with ``seen``: nothing is held back any more."""
        earlier = (*self.earlier, self.identifier)[-_EARLIER:]
        return replace(notified_visit_of(seen, at, channels), looks=self.looks, earlier=earlier).looking_like(
            seen.sighting.identifier, seen.look
        )

    def holding(self, seen: VisitToNotify) -> NotifiedVisit:
        """With ``seen`` held back."""
        return self.holding_one(seen.sighting.identifier, seen).looking_like(seen.sighting.identifier, seen.look)

    def holding_one(self, identifier: str = "", seen: VisitToNotify | None = None) -> NotifiedVisit:
        """With one more held back; of all but the latest only the identifier is kept."""
        older = tuple(SuppressedVisit(each.identifier) for each in self.held[:-_WHOLE])
        return replace(self, held=(*older, *self.held[-_WHOLE:], SuppressedVisit(identifier, seen))[-_HELD:])

    def without(self, identifier: str) -> NotifiedVisit:
        """As if the sighting of that identifier had been somebody else's."""
        return replace(
            self,
            held=tuple(each for each in self.held if each.identifier != identifier),
            looks=tuple(pair for pair in self.looks if pair[0] != identifier),
            earlier=tuple(each for each in self.earlier if each != identifier),
        )


@dataclass(frozen=True, slots=True)
class NotificationHistory:
    """Everybody told of lately, the latest last."""

    told: tuple[NotifiedVisit, ...] = ()

    def find(
        self, seen: VisitToNotify, now: float, cooldown: float, choose: MatchVisitor | None
    ) -> NotifiedVisit | None:
        """The same visitor, if they were told of lately."""
        alike = [told for told in self.told if told.kind is seen.kind]
        if seen.kind is AlertKind.STRANGER:
            current = [told for told in alike if told.held or now - told.at < cooldown]
            return _same_stranger(seen.look, current, choose)
        return self.of(seen.kind, seen.key)

    def of(self, kind: AlertKind, key: str) -> NotifiedVisit | None:
        return next((told for told in self.told if told.kind is kind and told.key == key), None)

    def told_with(self, identifier: str | None) -> NotifiedVisit | None:
        """Who was told of with the sighting of that identifier."""
        if identifier is None:
            return None
        return next((told for told in self.told if identifier in (told.identifier, *told.earlier)), None)

    def stragglers(self, seen: VisitToNotify, now: float, cooldown: float) -> list[NotifiedVisit]:
        """Strangers whose cool-down is over and who did not come again, so that nobody was told what was held back."""
        if seen.kind is not AlertKind.STRANGER:
            return []
        return [t for t in self.told if t.kind is seen.kind and t.held and now - t.at >= cooldown]

    def with_told(
        self, told: NotifiedVisit, now: float, instead_of: Iterable[NotifiedVisit | None] = ()
    ) -> NotificationHistory:
        """With ``told`` added; ``instead_of`` go, and whoever is too old or too many."""
        gone = [id(each) for each in instead_of]
        kept = [each for each in self.told if id(each) not in gone and now - each.at < REMEMBERED]
        return NotificationHistory((*kept, told)[-MOST:])

    def changed(self, old: NotifiedVisit, new: NotifiedVisit | None) -> NotificationHistory:
        """With ``new`` in the place of ``old``; with None, without it."""
        told = (new if each is old else each for each in self.told)
        return NotificationHistory(tuple(each for each in told if each is not None))

    def taken_back(self, identifier: str | None) -> tuple[NotificationHistory, NotifiedVisit | None]:
        """As if the sighting of that identifier had never been; and who was told of with it, if it was told at all.

        If it was the last that the visitor was told of with, the visitor was not told of: their cool-down is over, and
        what it held back is for the caller to look at again.
        """
        wrong = self.told_with(identifier)
        if identifier is None:
            return self, None
        if wrong is not None and wrong.identifier == identifier:
            return self.changed(wrong, None), wrong
        return NotificationHistory(tuple(told.without(identifier) for told in self.told)), wrong

    def looked_at_again(self, identifier: str, look: VisitAppearance | None) -> NotificationHistory:
        """With a better look of a visit that is in it."""
        return NotificationHistory(
            tuple(t.looking_like(identifier, look) if t.has(identifier) else t for t in self.told)
        )


def notified_visit_of(seen: VisitToNotify, at: float, channels: Channels) -> NotifiedVisit:
    """Somebody new, told of with ``seen``."""
    told = NotifiedVisit(seen.kind, seen.key, seen.sighting.identifier, at, channels)
    return told.looking_like(seen.sighting.identifier, seen.look)


def _same_stranger(
    look: VisitAppearance | None, told: list[NotifiedVisit], choose: MatchVisitor | None
) -> NotifiedVisit | None:
    if look is None or choose is None:
        return None
    visits = {
        number: [past.visit for _, past in each.looks if past.model_sha256 == look.model_sha256]
        for number, each in enumerate(told)
    }
    chosen = choose(look.visit, {number: past for number, past in visits.items() if past})
    return None if chosen is None else told[chosen]
