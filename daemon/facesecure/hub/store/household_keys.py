"""The keys of households, wrapped for their doors."""

from __future__ import annotations

from collections.abc import Sequence

from facesecure.hub.database import HubDatabase
from facesecure.hub.rows import HouseholdKey
from facesecure.hub.store.member import Member


class HouseholdKeys:
    """The keys of households, wrapped for their doors."""

    def __init__(self, database: HubDatabase, member: Member) -> None:
        """Act for ``member``."""
        self._database, self._member = database, member

    def mine(self) -> tuple[HouseholdKey, ...]:
        """Return every version that is wrapped for this door, newest first."""
        raise NotImplementedError

    def put(self, keys: Sequence[HouseholdKey]) -> None:
        """Add a version, wrapped for each door that may have it, by this door. What is there already stays.

        Raises HubConflictError if another door added the same version first: read, and use that.
        """
        raise NotImplementedError

    def newest(self) -> int:
        """Return the newest version of this door's household, whoever has it; 0 if there is none."""
        raise NotImplementedError
