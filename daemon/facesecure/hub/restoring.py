"""Write anew at the hub what an older backup lacks, or somebody deleted, and nobody but the manager can write.

An older database brings back doors that were shut out, with their roles, and lacks the newest keys of households, which
those doors do not have. The manager has both: what it has signed is on its disk, and keys are derived from its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from facesecure.domain.actors import DAEMON, acting
from facesecure.domain.errors import HubError, HubUnreachableError
from facesecure.hub.certify import certified, wrapped_keys
from facesecure.hub.identity import Authority, Certificate, Identity
from facesecure.hub.identity_file import read_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.rows import Door
from facesecure.hub.store import HubStore
from facesecure.hub.trust import TrustedDoors
from facesecure.services.audit import record

EVERY = 60.0
"""Seconds between two looks. What was missing at two of them is written: a command may be about to write it itself."""

_log = logging.getLogger(__name__)


class Restoring:
    """Looks whether the hub has what the manager has written. One thread uses it.

    Example::

        Link(store, [known.learn, Restoring(state_dir, known).restore])
    """

    def __init__(self, state_dir: Path, known: KnownDoors, steady: Callable[[], float] = time.monotonic) -> None:
        """``known`` remembers the doors, also those that were removed."""
        self._state_dir, self._known, self._steady = state_dir, known, steady
        self._looked: float | None = None
        self._lacked: frozenset[tuple[str, int, str]] = frozenset()
        self._came_back: frozenset[str] = frozenset()
        self._absent: frozenset[str] = frozenset()
        self._refused = set[str]()

    def restore(self, store: HubStore) -> None:
        """Look, once a minute, and write what is missing. Raises HubError, StoreError."""
        now = self._steady()
        if self._looked is not None and now - self._looked < EVERY:
            return
        self._looked = now
        identity = read_identity(self._state_dir)  # before the doors: a new key is never for a door removed before it
        if identity.authority is None:
            return
        every = {row.identifier: row for row in store.doors.all()}
        rows = {door: row for door, row in every.items() if row.removed_at is None}
        trusted = TrustedDoors(identity, self._known.trusted.encoded())
        trusted.learn(every.values())
        with acting(DAEMON):
            self._add(store, identity.authority, [one for one in trusted.present() if one.door not in every])
            self._certify(store, identity, trusted, rows)
            self._remove(store, [one for one in trusted.removed() if one.door in rows])
        members = [one for one in trusted.present() if one.door in rows or one.door not in every]
        self._wrap(store, identity, identity.authority, members)

    def _certify(self, store: HubStore, identity: Identity, trusted: TrustedDoors, rows: Mapping[str, Door]) -> None:
        """Put the newest certificates in the place of older ones."""
        there, newest = TrustedDoors(identity), trusted.encoded()
        there.learn(rows.values())
        for one in (*trusted.present(), *trusted.removed()):
            if one.door in rows and there.encoded().get(one.door) != newest[one.door] and identity.authority:
                _log.warning("the hub: an older certificate of the door %s is replaced", one.name)
                store.doors.replace(certified(identity.authority, one))

    def _add(self, store: HubStore, authority: Authority, absent: list[Certificate]) -> None:
        """Add doors that had joined."""
        for door in absent:
            if door.door in self._absent:
                _log.warning("the hub: the door %s was missing and is added again", door.name)
                store.doors.put_missing(certified(authority, door))
        self._absent = frozenset(door.door for door in absent)

    def _remove(self, store: HubStore, came_back: list[Certificate]) -> None:
        """Shut doors out again."""
        for door in came_back:
            if door.door in self._came_back:
                self._remove_one(store, door)
        self._came_back = frozenset(door.door for door in came_back)

    def _remove_one(self, store: HubStore, door: Certificate) -> None:
        try:
            store.doors.remove(door.door)
            record(self._state_dir, "hub-door-removed", door.name)
            _log.warning("the hub: the door %s, which had been removed, was there again and is shut out", door.name)
        except HubUnreachableError:
            raise
        except HubError as error:
            if door.door not in self._refused:
                self._refused.add(door.door)
                _log.warning("the door %s cannot be shut out again: %s; %s", door.name, error.message, error.hint)

    def _wrap(self, store: HubStore, identity: Identity, authority: Authority, members: list[Certificate]) -> None:
        """Wrap the keys of households anew for the doors that lack one."""
        newest = {authority.household(one.name): one.version for one in identity.households}
        wanted = {
            (one.household, version, one.door)
            for one in members
            for version in range(1, newest.get(one.household, 0) + 1)
        }
        lacking = frozenset(wanted - store.household_keys.given())
        missing = lacking & self._lacked
        if missing:
            _log.warning("the hub: %d keys of households were missing and are written anew", len(missing))
            keys = [
                key for one in members for key in wrapped_keys(authority, identity, [one], _versions(missing, one.door))
            ]
            store.household_keys.put_missing(keys)
        self._lacked = lacking


def _versions(missing: frozenset[tuple[str, int, str]], door: str) -> list[int]:
    return sorted(version for _, version, of in missing if of == door)
