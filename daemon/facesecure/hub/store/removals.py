"""Orders to wipe a person, until each door has confirmed."""

from __future__ import annotations

from facesecure.hub.database import HubDatabase
from facesecure.hub.rows import Removal
from facesecure.hub.store.member import BATCH, Member


class Removals:
    """Orders to wipe a person, until each door has confirmed."""

    def __init__(self, database: HubDatabase, member: Member) -> None:
        """Act for ``member``."""
        self._database, self._member = database, member

    def mine(self) -> tuple[Removal, ...]:
        """Return the orders to this door that it has not confirmed, oldest first."""
        raise NotImplementedError

    def confirm(self, person: str) -> None:
        """Say that this door has wiped the person; a second time changes nothing."""
        raise NotImplementedError

    def open(self) -> tuple[Removal, ...]:
        """Return the household's orders, and those that this door gave, that are not confirmed; to the manager all."""
        raise NotImplementedError

    def after(self, cursor: int, limit: int = BATCH) -> tuple[Removal, ...]:
        """Return what ``open`` covers and what was confirmed, as it changed after ``cursor``."""
        raise NotImplementedError
