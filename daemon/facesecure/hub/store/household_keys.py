"""The keys of households, wrapped for their doors."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select

from facesecure.hub.row_values import without_revision
from facesecure.hub.rows import HouseholdKey
from facesecure.hub.store.member import Part, insert_missing, unless_unchanged
from facesecure.hub.tables import household_keys

MOST_VERSIONS = 1000
"""How many versions of a household's key are read, the newest: one for each door that was shut out."""


class HouseholdKeys(Part):
    """The keys of households, wrapped for their doors."""

    @unless_unchanged("household_keys")
    def mine(self) -> tuple[HouseholdKey, ...]:
        """Return the versions of its household's key that are wrapped for this door, newest first."""
        ours = household_keys.c.household == self._member.household
        query = select(household_keys).where(ours, household_keys.c.door == self._member.door)
        return self._all(query.order_by(household_keys.c.version.desc()).limit(MOST_VERSIONS), HouseholdKey)

    def put(self, keys: Sequence[HouseholdKey]) -> None:
        """Add a version, wrapped for each door that may have it. What is there already stays. Manager only.

        Raises HubConflictError, and writes nothing, if one of the doors has this version: add the next.
        """
        with self._database.begin() as connection:
            if keys:
                connection.execute(insert(household_keys), [without_revision(key) for key in keys])

    def given(self) -> frozenset[tuple[str, int, str]]:
        """Return the household, the version and the door of each key that this door has wrapped, as the manager."""
        query = select(household_keys.c.household, household_keys.c.version, household_keys.c.door)
        with self._database.begin(reading=True) as connection:
            found = connection.execute(query.where(household_keys.c.author == self._member.door))
            return frozenset((str(row[0]), int(row[1]), str(row[2])) for row in found)

    def put_missing(self, keys: Sequence[HouseholdKey]) -> None:
        """Add those of ``keys`` that are not there."""
        with self._database.begin() as connection:
            insert_missing(connection, household_keys, [without_revision(key) for key in keys])
