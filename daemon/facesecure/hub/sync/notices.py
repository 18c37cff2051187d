"""Agree with the household's doors on who notifies about a stranger whom several see.

In one transaction, in which no other door of the household decides, a door hands in its sealed sighting, compares it
with what the others have seen within a minute, and claims the notification or finds it claimed.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from facesecure.domain.errors import HubError
from facesecure.domain.notices import Claim, SeenStranger
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.rows import NoticeState, Sighting
from facesecure.hub.store import HubStore
from facesecure.hub.store.notices import Turn
from facesecure.hub.sync.household import Household
from facesecure.hub.sync.sighting_document import decoded, encoded
from facesecure.recognition.visitor_matching import MatchVisitor, VisitEmbedding

_LATER = 0.25
"""Seconds after the end of another door's claim before this one looks again."""
_MOST_UNCONFIRMED = 100

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Told:
    """A sighting of another door about which somebody was notified, or is about to be."""

    row: Sighting
    seen: SeenStranger


class HouseholdNotices:
    """A notice board (``domain.interfaces``) at the hub. Any thread may claim and confirm; one calls ``report``.

    Example::

        notices = HouseholdNotices(store, household, context.match_visitor, link.wake)
        if notices.claim(seen).is_ours:
            ...
    """

    def __init__(
        self, store: HubStore, household: Household, match: MatchVisitor, wake: Callable[[], object] = lambda: None
    ) -> None:
        """``match`` says whether two visits are one stranger's. ``wake`` has ``report`` called soon."""
        self._store, self._household, self._match, self._wake = store, household, match, wake
        self._unconfirmed: deque[str] = deque(maxlen=_MOST_UNCONFIRMED)

    def claim(self, seen: SeenStranger) -> Claim:
        """Return who notifies about ``seen``. In a second at most; this door, if the hub is gone or slow."""
        try:
            with self._store.notices.turn() as turn:
                return self._decided(turn, seen)
        except HubError as error:
            _log.info("the other doors were not asked, so this one notifies: %s", error.message)
        except NotGenuineError as error:
            _log.warning("the other doors cannot be asked, so this one notifies: %s", error)
        return Claim()

    def confirm(self, sighting: str) -> None:
        """Note that the alert about ``sighting`` has reached somebody; ``report`` says so at the hub."""
        self._unconfirmed.append(sighting)
        self._wake()

    def report(self, store: HubStore) -> None:
        """Confirm at the hub what has reached somebody. Raises HubError; what is left is confirmed later."""
        while self._unconfirmed:
            store.notices.confirm(self._unconfirmed[0])
            self._unconfirmed.popleft()

    def _decided(self, turn: Turn, seen: SeenStranger) -> Claim:
        own = next((row for row in turn.recent if row.identifier == seen.identifier), None)
        if own is not None and seen.embedding is None:
            seen = self._opened(own) or seen
        told = self._same(seen, self._told(turn))
        if own is None:
            turn.add(self._household.documents.sighting(seen.identifier, encoded(seen)))
        if told is not None:
            return self._by_another(turn, told)
        if seen.identifier not in turn.notices:
            turn.claim(seen.identifier)
        return Claim()

    def _told(self, turn: Turn) -> Iterable[_Told]:
        """Yield what other doors have told, or are about to tell."""
        for row in turn.recent:
            if row.author != self._household.own.door and turn.is_told(row):
                seen = self._opened(row)
                if seen is not None:
                    yield _Told(row, seen)

    def _opened(self, row: Sighting) -> SeenStranger | None:
        try:
            return decoded(row.identifier, self._household.documents.open_sighting(row))
        except ValueError as error:  # NotGenuineError is one
            _log.warning("a sighting at the hub is left out: %s", error)
            return None

    def _same(self, seen: SeenStranger, told: Iterable[_Told]) -> _Told | None:
        """Return the sighting of the same stranger, as the visits at one door are matched."""
        if seen.embedding is None:
            return None
        comparable = [one for one in told if _comparable(one.seen, seen)]
        number = self._match(_visit(seen), {number: [_visit(one.seen)] for number, one in enumerate(comparable)})
        return None if number is None else comparable[number]

    def _by_another(self, turn: Turn, told: _Told) -> Claim:
        notice, name = turn.notices[told.row.identifier], self._household.name_of(told.row.author)
        if notice.state is NoticeState.CONFIRMED:
            return Claim(name)
        return Claim(name, max(0.0, (notice.until - turn.now).total_seconds()) + _LATER)


def _comparable(one: SeenStranger, other: SeenStranger) -> bool:
    if one.embedding is None or other.embedding is None:
        return False
    return one.model_sha256 == other.model_sha256 and one.embedding.shape == other.embedding.shape


def _visit(seen: SeenStranger) -> VisitEmbedding:
    assert seen.embedding is not None
    return VisitEmbedding(seen.embedding, seen.clarity)
