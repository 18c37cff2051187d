"""The doors of the estate, their certificates and their last signs of life."""

from __future__ import annotations

from datetime import datetime

from facesecure.hub.database import HubDatabase
from facesecure.hub.rows import Door, Estate, NewDoor, Status
from facesecure.hub.store.member import BATCH, Member


class Doors:
    """The doors of the estate, their certificates and their last signs of life."""

    def __init__(self, database: HubDatabase, member: Member) -> None:
        """Act for ``member``."""
        self._database, self._member = database, member

    def estate(self) -> Estate:
        """Return the estate. Raises HubError if the database holds none, or refuses this door."""
        raise NotImplementedError

    def head(self) -> int:
        """Return the newest revision. One below a cursor means that the hub was restored from a backup: read from 0."""
        raise NotImplementedError

    def now(self) -> datetime:
        """Return the hub's time, which all times of the hub are of."""
        raise NotImplementedError

    def all(self) -> tuple[Door, ...]:
        """Return every door, removed ones too, by name: whose certificates a reader may need."""
        raise NotImplementedError

    def own(self) -> Door | None:
        """Return this door, None if it has not joined yet."""
        raise NotImplementedError

    def after(self, cursor: int, limit: int = BATCH) -> tuple[Door, ...]:
        """Return doors that were added, changed or removed after ``cursor``, oldest change first."""
        raise NotImplementedError

    def replace(self, door: NewDoor) -> None:
        """Put another certificate in the place of a door's, as when it is renamed. Only the manager may."""
        raise NotImplementedError

    def remove(self, door: str) -> None:
        """Shut a door out: its role and its connections end, and every key that was wrapped for it goes.

        Only the manager may. Its people and records stay. Raises HubError if there is no such door, or it is
        the manager.
        """
        raise NotImplementedError

    def report(self, document: bytes) -> None:
        """Say that this door is alive, with its sealed status; takes no revision."""
        raise NotImplementedError

    def statuses(self) -> tuple[Status, ...]:
        """Return the last sign of life of each door of the household.

        The manager gets all of the estate, without documents of other households.
        """
        raise NotImplementedError
