"""Sightings of the household's doors, kept for two weeks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Select, delete, select, text

from facesecure.domain.errors import HubRefusedError
from facesecure.hub.row_values import sighting_from
from facesecure.hub.rows import KEPT_DAYS, NewSighting, Sighting
from facesecure.hub.store.doors import time_of
from facesecure.hub.store.last_read import LastRead, was_put_back
from facesecure.hub.store.member import BATCH, Batch, Part, insert_into, insert_missing, unless_unchanged
from facesecure.hub.tables import sightings


class Sightings(Part):
    """Sightings of the household's doors, kept for two weeks."""

    def add(self, new: Sequence[NewSighting]) -> None:
        """Hand in sightings of this door; those that are there already are left as they are."""
        with self._database.begin() as connection:
            about = {"household": self._member.household, "author": self._member.door, "at": time_of(connection)}
            insert_missing(connection, sightings, [{**vars(sighting), **about} for sighting in new])

    def put(self, new: Sequence[NewSighting]) -> None:
        """Hand in sightings of this door, in the place of what it handed in under the same identifiers before.

        Raises HubRefusedError, and nothing is written, if another door's has one of the identifiers.
        """
        with self._database.begin() as connection:
            about = {"household": self._member.household, "author": self._member.door, "at": time_of(connection)}
            statement = insert_into(connection, sightings)
            values = {"document": statement.excluded.document, "signature": statement.excluded.signature}
            statement = statement.on_conflict_do_update(index_elements=["identifier"], set_=values)
            if new:
                self._require_own(connection, new)
                connection.execute(statement, [{**vars(sighting), **about} for sighting in new])

    @unless_unchanged("sightings", only_nothing=True)
    def after(self, cursor: int, limit: int = BATCH) -> Batch[Sighting]:
        """Return the household's sightings that came or changed after ``cursor``, oldest change first."""
        query = select_sightings().where(sightings.c.household == self._member.household, sightings.c.revision > cursor)
        return self._batch(query.order_by(sightings.c.revision).limit(limit), sighting_from, cursor)

    def was_put_back(self, last: LastRead, cursor: int) -> bool:
        """Return whether the hub was put back to an older state since ``last`` was read, up to ``cursor``.

        True also if all of them may have expired.
        """

        def query() -> Select[Any]:
            found = last.query(sightings.c.identifier, sightings.c.revision, sightings.c.signature, cursor)
            return found.where(sightings.c.household == self._member.household)

        return was_put_back(self._database, query, last, cursor)

    def _require_own(self, connection: Connection, new: Sequence[NewSighting]) -> None:
        """Raise HubRefusedError if one of ``new`` would take the place of another door's (SQLite has no rules)."""
        names = [sighting.identifier for sighting in new]
        others = select(sightings.c.identifier).where(sightings.c.identifier.in_(names))
        if connection.execute(others.where(sightings.c.author != self._member.door)).first() is not None:
            raise HubRefusedError("another door has a visit with this number", "facesecure leaves it out")

    def get(self, identifier: str) -> Sighting | None:
        """Return one of the household, None if there is none."""
        ours = sightings.c.household == self._member.household
        return self._first(select_sightings().where(ours, sightings.c.identifier == identifier), sighting_from)

    def expire(self) -> int:
        """Remove what is older than the hub keeps, of the whole estate; any door may ask. Return how many sightings."""
        with self._database.begin() as connection:
            if self._database.is_postgres:
                return int(connection.execute(text("SELECT expire()")).scalar_one())
            old = time_of(connection) - timedelta(days=KEPT_DAYS)
            return connection.execute(delete(sightings).where(sightings.c.at < old)).rowcount


def select_sightings() -> Select[Any]:
    """Return the query of all sightings, without their crops."""
    columns = [column for column in sightings.c if column.name != "crop"]
    return select(*columns, sightings.c.crop.is_not(None).label("has_crop"))
