"""People, each sealed under a key of its own that is wrapped for the doors that may know them."""

from __future__ import annotations

from collections.abc import Sequence

from facesecure.hub.database import HubDatabase
from facesecure.hub.rows import Person, PersonKey, SharedPerson
from facesecure.hub.store.member import BATCH, Member


class People:
    """People, each sealed under a key of its own that is wrapped for the doors that may know them."""

    def __init__(self, database: HubDatabase, member: Member) -> None:
        """Act for ``member``."""
        self._database, self._member = database, member

    def after(self, cursor: int, limit: int = BATCH) -> tuple[SharedPerson, ...]:
        """Return people whose key this door has and who changed after ``cursor``, oldest change first.

        At most ``limit`` and some megabytes at a time: go on from the last one's revision until none is left.
        """
        raise NotImplementedError

    def get(self, identifier: str) -> SharedPerson | None:
        """Return a person, None if this door has no key of theirs."""
        raise NotImplementedError

    def put(self, person: Person, keys: Sequence[PersonKey], after: int) -> int | None:
        """Write a person whose version at the hub is ``after`` (0: new), and the keys given, which may be none.

        Return the revision; None, and nothing is written, if the hub has another version. ``person.author`` is
        this door.
        """
        raise NotImplementedError

    def share(self, keys: Sequence[PersonKey]) -> None:
        """Let further doors know people whom this door knows. Keys that are there are replaced."""
        raise NotImplementedError

    def doors_of(self, person: str) -> frozenset[str]:
        """Return the doors that have a key of a person whom this door knows."""
        raise NotImplementedError

    def withdraw(self, person: str, doors: Sequence[str], version: int, signature: bytes) -> None:
        """Take a person from some doors: their keys go, and each gets an order to wipe (``Removals``).

        They may have kept the data key: put the person anew, sealed under a new key, afterwards.
        """
        raise NotImplementedError

    def remove(self, person: str, version: int, signature: bytes) -> bool:
        """Remove a person: the document and every wrapped key go, and each door that had one gets an order to wipe.

        ``signature`` is of the tombstone, with ``version`` above the hub's. Return False if there is no such
        person, or they were removed before.
        """
        raise NotImplementedError
