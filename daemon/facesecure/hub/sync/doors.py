"""Say how this door is, and learn how the household's other doors are. Nobody's clock is relied on but the hub's."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from facesecure.domain.doors import LastVisit, OtherDoor
from facesecure.hub.rows import Status
from facesecure.hub.store import HubStore
from facesecure.hub.sync.household import Household
from facesecure.hub.sync.status_document import StatusSaid, decoded, encoded, unchanged

REPORT_EVERY = 60.0
LOOK_EVERY = 15.0
SILENT_AFTER = 180.0
"""Seconds after which a door that reports every minute counts as silent."""
_JITTER = timedelta(seconds=15)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Heard:
    """A door, and the steady time when it was last heard of, as far as the hub's clock tells."""

    door: OtherDoor
    at: float


class Doors:
    """The doors of one household. One thread reports and looks; any may read ``others``.

    Example::

        doors = Doors(household, lambda: facts_of(commands, "hub"))
        Link(store, [known.learn, household.refresh, doors.report, doors.look])
        doors.others()
    """

    def __init__(
        self,
        household: Household,
        facts: Callable[[], Mapping[str, Any]],
        on_change: Callable[[], object] = lambda: None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """``facts`` returns the state of this door; ``on_change`` is told of a change at another."""
        self._household, self._facts, self._on_change, self._steady = household, facts, on_change, steady
        self._reported: tuple[Mapping[str, Any], float] | None = None
        self._looked: float | None = None
        self._heard: tuple[_Heard, ...] = ()
        self._shown: list[OtherDoor] = []
        self._refused = set[str]()

    def report(self, store: HubStore) -> None:
        """Say how this door is, if it has changed or a minute has passed. Raises HubError."""
        facts, now = self._facts(), self._steady()
        if self._reported is not None:
            before, at = self._reported
            if now - at < REPORT_EVERY and unchanged(before, facts):
                return
        store.doors.report(self._household.documents.status(encoded(facts)))
        self._reported = facts, now

    def look(self, store: HubStore) -> None:
        """Learn how the others are, a few times a minute. Raises HubError."""
        if self._looked is None or self._steady() - self._looked >= LOOK_EVERY:
            rows, now = store.doors.statuses(), store.doors.now()
            self._looked = self._steady()
            self._heard = self._all(rows, now)
        self._tell_changes()

    def others(self) -> list[OtherDoor]:
        """Return the household's other doors, by name."""
        now = self._steady()
        return [
            replace(one.door, silent=now - one.at > SILENT_AFTER) if one.door.heard_at is not None else one.door
            for one in self._heard
        ]

    def _tell_changes(self) -> None:
        shown = [replace(door, heard_at=None) for door in self.others()]
        if shown != self._shown:
            self._shown = shown
            self._on_change()

    def _all(self, rows: tuple[Status, ...], now: datetime) -> tuple[_Heard, ...]:
        own, by_door = self._household.own, {row.door: row for row in rows}
        others = [one for one in self._household.doors.present() if one.household == own.household != ""]
        heard = [self._one(one.door, one.name, by_door.get(one.door), now) for one in others if one.door != own.door]
        return tuple(sorted(heard, key=lambda one: one.door.name.casefold()))

    def _one(self, identifier: str, name: str, row: Status | None, now: datetime) -> _Heard:
        said = None if row is None else self._opened(row)
        if row is None or said is None:
            return _Heard(OtherDoor(identifier, name), self._steady())
        age = max(0.0, (now - row.seen_at).total_seconds())
        heard_at = datetime.now(UTC) - timedelta(seconds=age)
        door = OtherDoor(
            identifier, name, heard_at, version=said.version, lost=tuple(said.lost), troubles=tuple(said.troubles),
            last_visit=_visit(said, heard_at, self._before(identifier)),
        )  # fmt: skip
        return _Heard(door, self._steady() - age)

    def _before(self, identifier: str) -> LastVisit | None:
        return next((one.door.last_visit for one in self._heard if one.door.identifier == identifier), None)

    def _opened(self, row: Status) -> StatusSaid | None:
        try:
            plain = self._household.documents.open_status(row)
            return None if plain is None else decoded(plain)
        except ValueError as error:  # NotGenuineError is one
            if row.door not in self._refused:
                self._refused.add(row.door)
                _log.warning("the status of the door %s is left out: %s", row.door, error)
            return None


def _visit(said: StatusSaid, heard_at: datetime, before: LastVisit | None) -> LastVisit | None:
    """Return the last visit; its time is that of ``before`` if it is the same one, whatever the network's delay."""
    last = said.last
    if last is None:
        return None
    at = heard_at - timedelta(seconds=last.seconds)
    visit = LastVisit(last.verdict, at, last.camera, last.name, last.subject)
    same = before is not None and replace(before, at=at) == visit and abs(before.at - at) < _JITTER
    return before if same else visit
