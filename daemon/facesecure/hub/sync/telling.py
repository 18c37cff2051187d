"""Tell the household's other doors of the visits at this one, and of each change: an end, a correction, a removal.

The store of this door is what counts. What the hub has of it is remembered (``visits_state``), so that after a week
without the hub exactly what differs is told.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from facesecure.domain.errors import HubRefusedError
from facesecure.domain.names import LONGEST_NAME
from facesecure.domain.records import StoredSighting
from facesecure.domain.types import VerdictKind
from facesecure.hub.rows import KEPT_DAYS
from facesecure.hub.store import HubStore
from facesecure.hub.sync.hearing import Clocks
from facesecure.hub.sync.household import Household
from facesecure.hub.sync.shared_ids import SharedIds
from facesecure.hub.sync.visit_document import VisitFacts, VisitTold, encoded, identifier_of
from facesecure.hub.sync.visits_state import MOST, Own, VisitsState
from facesecure.storage.store import Store
from facesecure.util.plain_text import one_line

_BATCH = 50
_NEWEST = 50
"""Visits that are looked at where only the newest can have changed."""
_LATER = 600.0
"""Seconds after which a visit that the hub refused is told again."""
_MOST_REFUSED = 5
_LONGEST_CAMERA = 100

_log = logging.getLogger(__name__)


class Telling:
    """Tells of the visits in ``store``. One thread uses it.

    Example::

        telling = Telling(store, household, state, ids)
        telling.look(everything=True)
        finished = telling.tell(hub)
    """

    def __init__(
        self, store: Store, household: Household, state: VisitsState, ids: SharedIds, keep_days: float = 0
    ) -> None:
        """``state`` remembers what the hub has; ``keep_days`` is how long visits are kept here (0: for ever)."""
        self._kept = timedelta(days=min(KEPT_DAYS, keep_days or KEPT_DAYS))
        self._store, self._household, self._state, self._ids = store, household, state, ids
        self._due: dict[str, tuple[float, VisitFacts | None]] = {}
        self._later: dict[str, float] = {}
        self._sightings: dict[str, str] = {}
        self.has_looked = False
        """Whether every visit was compared once."""

    def sighting_of(self, identifier: str) -> str | None:
        """Return the sighting of this door that has ``identifier`` at the hub; None if it tells of no such visit."""
        return self._sightings.get(identifier)

    def look(self, *, everything: bool) -> None:
        """Compare what the hub has with the store: with its newest visits, or those of two weeks. Raises StoreError.

        There is no such visit any more where a later verdict has replaced it, or it is older than this door keeps. One
        that is merely missing stays as it was told: who destroys this door's database takes nothing from the others.
        """
        since, limit = datetime.now(UTC) - self._kept, MOST if everything else _NEWEST
        found = self._store.sightings(limit, since=since)
        here = {identifier_of(seen.identifier): seen for seen in found if seen.superseded_by is None}
        replaced = {identifier_of(seen.identifier) for seen in found if seen.superseded_by is not None}
        if everything:
            self._sightings, self._due, self.has_looked = {}, {}, True
        self._sightings |= {identifier: seen.identifier for identifier, seen in here.items()}
        for identifier, seen in here.items():
            self._compare(identifier, seen.first_seen.timestamp(), self._facts(seen))
        self._later = {one: at for one, at in self._later.items() if one in self._due}
        for identifier, own in list(self._state.own.items()):
            if identifier in replaced or own.at < since.timestamp():
                self._compare(identifier, own.at, None)

    def tell(self, hub: HubStore) -> bool:
        """Tell what differs, the newest first, for a batch. Return whether that was all. Raises HubError."""
        now = time.monotonic()
        due = [one for one in self._due if self._later.get(one, now) <= now]
        if not due:
            return True
        clocks = Clocks.at(hub.doors.now())
        batch = sorted(due, key=lambda one: self._due[one][0], reverse=True)[:_BATCH]
        try:
            self._put(hub, batch, clocks)
        except HubRefusedError:
            self._put_each(hub, batch, clocks)
        return len(due) <= _BATCH

    def _compare(self, identifier: str, at: float, facts: VisitFacts | None) -> None:
        known = self._state.own.get(identifier)
        if known is None or known.digest != _digest(facts):
            self._due[identifier] = at, facts
            return
        self._due.pop(identifier, None)
        if known.at != at:
            self._state.own[identifier] = replace(known, at=at)

    def _put(self, hub: HubStore, batch: Sequence[str], clocks: Clocks) -> None:
        told = {identifier: self._told(identifier, clocks) for identifier in batch}
        documents = self._household.documents
        hub.sightings.put([documents.sighting(identifier, encoded(one)) for identifier, one in told.items()])
        for identifier, one in told.items():
            at, facts = self._due.pop(identifier)
            self._later.pop(identifier, None)
            self._state.own[identifier] = Own(one.edition, _digest(facts), at)

    def _put_each(self, hub: HubStore, batch: Sequence[str], clocks: Clocks) -> None:
        """Tell one after the other, and those again later that the hub refuses: one must not hold up the others."""
        refused = 0
        for identifier in batch:
            try:
                self._put(hub, [identifier], clocks)
            except HubRefusedError as error:
                self._later[identifier] = time.monotonic() + _LATER
                refused += 1
                if refused == 1:
                    _log.warning("a visit cannot be told to the other doors now: %s; %s", error.message, error.hint)
            if refused >= _MOST_REFUSED:  # it is not the visits, as where the hub has had too many in an hour
                self._later |= dict.fromkeys(self._due, time.monotonic() + _LATER)
                return

    def _told(self, identifier: str, clocks: Clocks) -> VisitTold:
        known, (_, facts) = self._state.own.get(identifier), self._due[identifier]
        edition = 1 if known is None else known.edition + 1
        if facts is None:
            return VisitTold(edition=edition)
        first = min(max(0.0, facts.first - clocks.ahead), clocks.hub)
        last = min(max(first, facts.last - clocks.ahead), first + 86400.0)
        return VisitTold(edition=edition, facts=facts.model_copy(update={"first": first, "last": last}))

    def _facts(self, seen: StoredSighting) -> VisitFacts:
        """Return what is told of a visit, its times by this door's clock."""
        corrected, known = seen.correction is not None, seen.kind is VerdictKind.KNOWN
        name = one_line(seen.name or "", LONGEST_NAME) or "?" if known else None
        return VisitFacts(
            verdict=seen.kind.value,
            camera=one_line(seen.source, _LONGEST_CAMERA),
            first=max(0.0, seen.first_seen.timestamp()),
            last=max(0.0, seen.first_seen.timestamp(), seen.last_seen.timestamp()),
            name=name,
            person=self._ids.of(name) if name else None,
            subject=None if seen.subject is None or corrected else seen.subject.value,
            doubtful=bool(seen.doubt) and not corrected,
            corrected=corrected,
            picture=seen.snapshot is not None,
        )


def _digest(facts: VisitFacts | None) -> str:
    return "" if facts is None else facts.digest()
