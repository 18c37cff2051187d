"""Hear what the household's other doors tell of visits: nothing of it is believed before it was checked."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from facesecure.hub.errors import NotGenuineError
from facesecure.hub.rows import Sighting
from facesecure.hub.store import HubStore
from facesecure.hub.sync.household import Household
from facesecure.hub.sync.visit_document import VisitFacts, VisitTold, decoded
from facesecure.hub.sync.visits_state import Heard, Own, VisitsState

_LONGEST_ROUND = 2.0
"""Seconds of one round, before other duties have their turn."""
_AHEAD = 300.0
"""Seconds in the future that are taken for the unevenness of a clock."""
_LONGEST_VISIT = 2 * 86400.0
_OLDEST = 15 * 86400.0
"""Seconds from a visit until it is told: the hub keeps two weeks, and a door tells no older ones."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Clocks:
    """The hub's time and ours, in seconds, at one moment."""

    hub: float
    own: float

    @classmethod
    def at(cls, hub: datetime) -> Clocks:
        """Return them for the time ``hub`` that the hub has just given."""
        return cls(hub.timestamp(), time.time())

    @property
    def ahead(self) -> float:
        """Seconds that our clock is ahead of the hub's."""
        return self.own - self.hub


class Hearing:
    """Reads the sightings of the household into ``state``. One thread uses it.

    Example::

        hearing = Hearing(household, state)
        finished = hearing.hear(store, removed=ids.removed)
        hearing.changed, hearing.urgent
    """

    def __init__(self, household: Household, state: VisitsState) -> None:
        """Go on where ``state`` ends."""
        self._household, self._state = household, state
        self._documents: object = None
        self._restored = False
        self._removed: Collection[str] = ()
        self.changed = self.urgent = False
        """What the caller sets back: whether visits of other doors have changed, and whether one was taken away."""

    def hear(self, store: HubStore, removed: Collection[str]) -> bool:
        """Read what has changed at the hub, for some seconds. Return whether that is all. Raises HubError.

        ``removed`` are the identifiers of people whose visits are those of somebody forgotten.
        """
        self._removed, began = removed, time.monotonic()
        self._begin_again(store)
        clocks: Clocks | None = None
        while rows := store.sightings.after(self._state.cursor):
            clocks = clocks or Clocks.at(store.doors.now())
            for row in rows:
                self._hear(row, clocks)
                self._state.cursor = row.revision
                self._state.last.note(row.identifier, row.revision, row.signature)
            self._state.cursor = rows.read_to
            if time.monotonic() - began > _LONGEST_ROUND:
                return False
        self._restored = False
        return True

    def forget(self, removed: Collection[str]) -> None:
        """Take the names of people who were ``removed`` from what was heard before."""
        if self._state.forget(removed):
            self.changed = self.urgent = True

    def _begin_again(self, store: HubStore) -> None:
        """Read again what may be genuine by now; everything, if the hub was put back from a backup."""
        state = self._state
        if self._documents is not self._household.documents:
            self._documents = self._household.documents
            if state.again_from is not None:
                state.cursor, state.again_from = min(state.cursor, state.again_from - 1), None
        if store.sightings.was_put_back(state.last, state.cursor) or store.doors.is_behind(state.cursor):
            state.cursor, self._restored = 0, True
            state.own = {one: replace(row, digest=None) for one, row in state.own.items()}

    def _hear(self, row: Sighting, clocks: Clocks) -> None:
        own = row.author == self._household.own.door
        try:
            if not self._may_open(row):
                self._again_from(row)
                return
            told = decoded(self._household.documents.open_sighting(row))
            if told is not None:
                (self._learn_own if own else self._take)(row, told, clocks)
        except NotGenuineError as error:
            if own and row.identifier in self._state.own:
                self._state.own[row.identifier] = replace(self._state.own[row.identifier], digest=None)
            self._refuse(row, error, clocks)

    def _learn_own(self, row: Sighting, told: VisitTold, clocks: Clocks) -> None:
        """Learn what the hub has of this door, which may have lost its memory, or the hub its newest rows."""
        known = self._state.own.get(row.identifier)
        if known is None or told.edition > known.edition:
            at = told.facts.first if told.facts else row.at.timestamp()
            self._state.own[row.identifier] = Own(told.edition, told.digest(), at + clocks.ahead)
        elif told.edition < known.edition:
            self._state.own[row.identifier] = replace(known, digest=None)
        elif known.digest is None:
            self._state.own[row.identifier] = replace(known, digest=told.digest())

    def _take(self, row: Sighting, told: VisitTold, clocks: Clocks) -> None:
        """Take in what another door tells. Raises NotGenuineError if it cannot be so, or is older than what it told."""
        before = self._state.heard.get(row.identifier)
        if before is not None:
            if before.author != row.author:
                raise NotGenuineError("another door has told of this visit")
            if told.edition < before.edition and self._restored:
                return  # its door tells the newest word again
            if told.edition < before.edition:
                raise NotGenuineError("an older word of a visit was put back")
            if told.edition == before.edition:
                return  # its crop was handed in, or taken back
        if told.facts is not None:
            _require_possible(told.facts, row, clocks)
        self._state.heard[row.identifier] = self._heard(row, told, clocks)
        self.changed = True
        self.urgent |= before is not None

    def _heard(self, row: Sighting, told: VisitTold, clocks: Clocks) -> Heard:
        if told.facts is None:
            return Heard(row.author, told.edition, clocks.own, None)
        here = {"first": told.facts.first + clocks.ahead, "last": told.facts.last + clocks.ahead}
        facts = told.facts.model_copy(update=here)
        heard = Heard(row.author, told.edition, facts.first, facts)
        return heard.forgotten() if facts.person in self._removed else heard

    def _may_open(self, row: Sighting) -> bool:
        """Return whether this door trusts the author and has the key: else there is nothing to complain of.

        The author may have been shut out, or have joined just now; the key may be older than this door.
        """
        return bool(self._household.name_of(row.author)) and self._household.documents.has_key_of(row.document)

    def _again_from(self, row: Sighting) -> None:
        state = self._state
        state.again_from = row.revision if state.again_from is None else min(state.again_from, row.revision)

    def _refuse(self, row: Sighting, error: NotGenuineError, clocks: Clocks) -> None:
        door, state = self._household.name_of(row.author), self._state
        if state.complain(f"a visit of {door} is left out: {error}", clocks.own):
            _log.warning("the hub: a visit of %s is left out: %s (%s)", door, error, row.identifier)


def _require_possible(facts: VisitFacts, row: Sighting, clocks: Clocks) -> None:
    """Raise NotGenuineError for a visit that has not been yet, was too long ago when it was told, or never ended."""
    if facts.last > clocks.hub + _AHEAD:
        raise NotGenuineError("the visit has not been yet")
    if facts.first < row.at.timestamp() - _OLDEST or facts.last - facts.first > _LONGEST_VISIT:
        raise NotGenuineError("the visit was too long ago, or too long")
