"""What one round of sharing people works with."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from facesecure.domain.records import Person
from facesecure.hub.documents import Documents
from facesecure.hub.identity import Certificate
from facesecure.hub.rows import Right
from facesecure.hub.store import HubStore
from facesecure.hub.sync.local_people import LocalPeople
from facesecure.hub.sync.people_state import PeopleState, Shared
from facesecure.hub.trust import TrustedDoors

_LONGEST = 2.0
"""Seconds of a round before the mode and the notices have their turn: a Pi judges some thirty faces meanwhile."""

_log = logging.getLogger(__name__)


@dataclass
class Round:
    """One connection's view: the hub, the door's keys and certificate, what it remembers, and its own people.

    ``noticed`` says when a person was first seen under the present name, by this door's clock in seconds.
    """

    hub: HubStore
    documents: Documents
    trusted: TrustedDoors
    own: Certificate
    state: PeopleState
    local: LocalPeople
    noticed: dict[str, tuple[str, float]] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    @property
    def may_enrol(self) -> bool:
        """Whether this door may change and remove people of its household."""
        return self.own.may(Right.ENROL)

    def is_late(self) -> bool:
        """Return whether the round has lasted so long that other duties should have their turn."""
        return time.monotonic() - self._began > _LONGEST

    def put_off(self, identifier: str, entry: Shared, why: str) -> None:
        """Note what failed at this door of one person: it is tried again later, and holds up nobody else."""
        self.state.failed.add(identifier)
        if entry.note != why:
            entry.note = why
            _log.warning("%s", why)

    def ours(self, entry: Shared) -> bool:
        """Return whether a person belongs to this door's household and this door may change them."""
        return self.may_enrol and entry.household == self.own.household

    def hub_time(self) -> float:
        """Return the hub's time in seconds."""
        return self.hub.doors.now().timestamp()

    def holders(self, entry: Shared) -> list[Certificate]:
        """Return the doors that may know a person now: those it is assigned to, and this one.

        Doors of other households only if this door may share.
        """
        may_share = self.own.may(Right.SHARE)
        near = [one for one in self.trusted.present() if one.household == self.own.household or may_share]
        if entry.doors is None:
            return [one for one in near if one.household == self.own.household]
        return [one for one in near if one.door in entry.doors or one.door == self.own.door]

    def shut_out_from(self, entry: Shared) -> frozenset[str]:
        """Return the doors that may have had a person's key, and were shut out."""
        may_have = [one for one in self.trusted.removed() if one.household == entry.household or entry.is_for(one.door)]
        return frozenset(one.door for one in may_have)

    def needs_key(self, entry: Shared) -> bool:
        """Return whether whoever writes a person next has to do it under another key."""
        return entry.renew or not self.shut_out_from(entry) <= entry.safe_from

    def door_name(self, door: str) -> str:
        """Return the name of a door, "another door" if it is not known."""
        return next((one.name for one in self.trusted.present() if one.door == door), "another door")

    def named_at(self, person: Person, entry: Shared) -> float:
        """Return when a person got the present name, in the hub's time: never in the future."""
        if person.name == entry.local:
            return entry.named_at
        name, at = self.noticed.get(person.uid, ("", time.time()))
        now = self.hub_time()
        ago = time.time() - at if name == person.name else 0.0
        return now - max(0.0, ago)
