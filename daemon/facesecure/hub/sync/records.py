"""The records that doors share: each door writes its own, and reads those of the whole household.

The identifier of a record is its door's, a point, and which part of what that door says it is. So no two doors write
the same record, and none can say something in another's name. Everything is read anew after a restart: what this door's
database lost, the hub still knows.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from facesecure.domain.errors import BusyError, DiskFullError, FacesecureError, HubError, HubRefusedError, StoreError
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.rows import Record, RecordKind, Right, require_identifiers
from facesecure.hub.store import HubStore
from facesecure.hub.store.last_read import LastRead
from facesecure.hub.store.member import BATCH
from facesecure.hub.sync.household import Household
from facesecure.storage.signed_documents import SignedDocuments

FILE_NAME = "hub/records.json"
_LONGEST = 2.0
"""Seconds of reading before the mode and the notices have their turn."""
_MOST = 10_000
"""Records of one door, beyond which no other is read."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """What a door says: ``plain`` is None where it says nothing any more. ``ours``: it is this door."""

    door: str
    name: str
    part: str
    plain: bytes | None
    ours: bool
    may_enrol: bool


class Taker(Protocol):
    """Takes in the records of one kind."""

    def take(self, said: Said) -> None:
        """Check what a door says, and keep it until ``settle``. Raises ValueError if it is nothing to believe."""

    def settle(self) -> None:
        """Store what was taken. Raises StoreError."""


class HouseholdRecords:
    """Reads what all doors of a household say, and writes what this one does. One thread uses it.

    Example::

        records = HouseholdRecords(state_dir, household, {RecordKind.VISITOR: visitors})
        if records.pull(hub):
            records.say(hub, RecordKind.VISITOR, "a3f", document)
    """

    def __init__(
        self,
        state_dir: Path,
        household: Household,
        takers: Mapping[RecordKind, Taker],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """``takers`` are told of each record that is genuine, oldest change first."""
        self._files, self._household, self._takers = SignedDocuments(state_dir), household, dict(takers)
        self._steady = steady
        self._newest = self._remembered()
        self._saved = dict(self._newest)
        self._count = Counter(key.partition("/")[2].partition(".")[0] for key in self._newest)
        self._at_hub: dict[str, int] = {}
        self._said: dict[tuple[RecordKind, str], bytes] = {}
        self._empty: set[str] = set()
        self._refused: dict[str, str] = {}
        self._believed: object = None
        self._cursor, self._last = 0, LastRead()
        self.generation = 0
        """Another number whenever the hub may lack what this door has said."""

    def pull(self, hub: HubStore) -> bool:
        """Read what has changed at the hub, for some seconds. Return whether that is all. Raises HubError, StoreError.

        All is read again after an older backup of the hub was put back, and when other doors are trusted.
        """
        believed = self._household.documents  # another one when other doors are trusted, or the household has a new key
        put_back = hub.records.was_put_back(self._last, self._cursor) or hub.doors.is_behind(self._cursor)
        if put_back or believed is not self._believed:
            self._cursor, self._believed = 0, believed
            self._at_hub, self._said, self._empty = {}, {}, set()
            self.generation += 1
        began = self._steady()
        while rows := hub.records.after(self._cursor):
            for row in rows:
                self._take(row)
                self._last.note(f"{row.kind}/{row.identifier}", row.revision, row.signature)
            for taker in self._takers.values():
                taker.settle()
            self._cursor = rows.read_to
            self._save()
            if rows.read >= BATCH and self._steady() - began > _LONGEST:
                return False
        return True

    def say(self, hub: HubStore, kind: RecordKind, part: str, plain: bytes | None) -> bool:
        """Write a part of what this door says, None for nothing, unless the hub has it so.

        Return False if it was not taken: to be done again, or refused. Raises HubError.
        """
        if self._said.get((kind, part)) == (None if plain is None else _digest(plain)):
            return True
        identifier = f"{self._household.own.door}.{part}"
        try:
            if not self._put(hub, kind, identifier, plain):
                return False
        except (HubRefusedError, ValueError) as error:  # also a NotGenuineError, as without a key
            self._refuse(f"{kind}/{identifier}", f"it cannot be written: {error}")
            return False
        if plain is None:
            self._said.pop((kind, part), None)
        else:
            self._said[(kind, part)] = _digest(plain)
        return True

    def parts(self, kind: RecordKind) -> set[str]:
        """Return the parts of what this door says at the hub."""
        return {part for said, part in self._said if said is kind}

    def again(self, hub: HubStore, kind: RecordKind, door: str, part: str) -> None:
        """Tell the taker once more what a door says; the taker has to ``settle`` it. Raises HubError."""
        row = hub.records.get(kind, f"{door}.{part}")
        if row is not None:
            self._take(row)

    def blank(self, hub: HubStore, kind: RecordKind, door: str, part: str) -> None:
        """Remove from the hub what another door says, until it says it again. Raises HubError."""
        if f"{kind}/{door}.{part}" in self._empty:
            return
        try:
            self._put(hub, kind, f"{door}.{part}", None)
        except (HubRefusedError, ValueError) as error:
            self._refuse(f"{kind}/{door}.{part}", f"it cannot be removed: {error}")

    def _put(self, hub: HubStore, kind: RecordKind, identifier: str, plain: bytes | None) -> bool:
        key = f"{kind}/{identifier}"
        after = self._at_hub.get(key, 0)
        version = max(after, self._newest.get(key, 0)) + 1
        if hub.records.put(self._household.documents.record(kind, identifier, version, plain), after=after) is None:
            row = hub.records.get(kind, identifier)
            self._at_hub[key] = row.version if row else 0
            return False
        self._at_hub[key] = self._newest[key] = version
        self._note(key, empty=plain is None)
        return True

    def _note(self, key: str, *, empty: bool) -> None:
        (self._empty.add if empty else self._empty.discard)(key)

    def _take(self, row: Record) -> None:
        if row.kind not in self._takers:
            return
        key = f"{row.kind}/{row.identifier}"
        self._at_hub[key] = row.version
        self._note(key, empty=row.document is None)
        try:
            said = self._checked(row, key)
            if said is not None:
                self._takers[row.kind].take(said)
        except (HubError, StoreError, DiskFullError, BusyError, OSError):
            raise
        except (ValueError, FacesecureError) as error:  # also a NotGenuineError
            self._refuse(key, str(error))
        except Exception:  # noqa: BLE001 - whatever a door writes, it must not keep this one from the others' records
            _log.exception("a record of another door cannot be taken in; this is a bug, please report it")

    def _checked(self, row: Record, key: str) -> Said | None:
        """Return what a door says; None if another has removed it. Raises ValueError if it is not genuine."""
        door, _, part = row.identifier.partition(".")
        require_identifiers(door)
        plain = self._household.documents.open_record(row, newest=self._newest.get(key, 0))
        if key not in self._newest and self._count[door] >= _MOST:
            raise NotGenuineError("its door has written too many")
        self._count[door] += key not in self._newest
        own = door == self._household.own.door
        if row.author != door:
            if plain is not None:
                raise NotGenuineError("it was written in the place of another door")
            self._newest[key] = row.version
            if own and self._said.pop((row.kind, part), None) is not None:
                self.generation += 1
            return None
        self._newest[key] = row.version
        if own and plain is not None:
            self._said[(row.kind, part)] = _digest(plain)
        may_enrol = self._household.doors.door(door).may(Right.ENROL)
        return Said(door, self._household.name_of(door), part, plain, own, may_enrol)

    def _refuse(self, key: str, why: str) -> None:
        if self._refused.get(key) != why and len(self._refused) < _MOST:
            self._refused[key] = why  # once, however often a door writes it again
            _log.warning("the hub: a record is left out: %s (%s)", why, key)

    def _save(self) -> None:
        if self._newest == self._saved:
            return
        try:
            self._files.write(FILE_NAME, self._newest)
        except OSError as error:
            what = f"what was read at the hub cannot be kept: {error.strerror}"
            raise StoreError(what, "check the free space on the disk of the state directory") from error
        self._saved = dict(self._newest)

    def _remembered(self) -> dict[str, int]:
        try:
            found = self._files.read(FILE_NAME)
            return {str(key): int(version) for key, version in found.items()}
        except FileNotFoundError:
            return {}
        except (StoreError, ValueError, TypeError) as error:
            _log.warning("which records of the hub were seen is not known, so that older ones may be taken: %s", error)
            return {}


def _digest(plain: bytes) -> bytes:
    return hashlib.sha256(plain).digest()
