"""The doors of the estate, their certificates and their last signs of life."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select, text, update

from facesecure.domain.errors import HubError
from facesecure.hub.row_values import door_from, door_values
from facesecure.hub.rows import Door, Estate, NewDoor, Status
from facesecure.hub.store.last_read import LastRead, was_put_back
from facesecure.hub.store.member import BATCH, Batch, Part, insert_into, insert_missing, now_of, unless_unchanged
from facesecure.hub.tables import doors, estate, household_keys, invitations, person_keys, revisions, statuses


class Doors(Part):
    """The doors of the estate, their certificates and their last signs of life."""

    def estate(self) -> Estate:
        """Return the estate. Raises HubError if the database holds none, or refuses this door."""
        query = select(estate.c.identifier, estate.c.authority, estate.c.manager, estate.c.created_at)
        found = self._first(query, Estate)
        if found is None:
            raise HubError("the hub's database says nothing of an estate", "was it made? facesecure hub init URL")
        return found

    def head(self) -> int:
        """Return the newest revision.

        One below a cursor means that the hub was restored from a backup: read everything from 0, and push again.
        """
        query = text("SELECT last_value FROM revision_numbers") if self._database.is_postgres else select(revisions)
        with self._database.begin(reading=True) as connection:
            return int(connection.execute(query).scalar_one())

    def is_behind(self, cursor: int) -> bool:
        """Return whether the hub was restored from a backup since a row with the revision ``cursor`` was read.

        Within one connection it cannot be: who asks has to on each new one, which ``HubDatabase.wait`` tells of. A hub
        that has grown past ``cursor`` since is not noticed: ``was_put_back`` of what was read is asked besides.
        """
        return not self._database.is_followed and self.head() < cursor

    def was_put_back(self, last: LastRead, cursor: int) -> bool:
        """Return whether the hub was put back to an older state since ``last`` was read, up to ``cursor``."""

        def query() -> Select[Any]:
            return last.query(doors.c.identifier, doors.c.revision, doors.c.certificate, cursor)

        return was_put_back(self._database, query, last, cursor)

    def now(self) -> datetime:
        """Return the hub's time, which all times of the hub are of."""
        with self._database.begin(reading=True) as connection:
            return time_of(connection)

    def all(self) -> tuple[Door, ...]:
        """Return every door, removed ones too, by name: whose certificates a reader may need."""
        return self._all(select(doors).order_by(doors.c.name, doors.c.identifier), door_from)

    def own(self) -> Door | None:
        """Return this door, None if it has not joined yet."""
        return self._first(select(doors).where(doors.c.identifier == self._member.door), door_from)

    @unless_unchanged("doors", only_nothing=True)
    def after(self, cursor: int, limit: int = BATCH) -> Batch[Door]:
        """Return doors that were added, changed or removed after ``cursor``, oldest change first."""
        query = select(doors).where(doors.c.revision > cursor).order_by(doors.c.revision).limit(limit)
        return self._batch(query, door_from, cursor)

    def replace(self, door: NewDoor) -> None:
        """Put another certificate in the place of a door's, as when it is renamed. Only the manager may."""
        values = {name: value for name, value in door_values(door).items() if name not in ("identifier", "role")}
        with self._database.begin() as connection:
            changed = connection.execute(update(doors).where(doors.c.identifier == door.identifier).values(**values))
            if not changed.rowcount:
                raise HubError(f"the hub has no such door, or lets this door not change it: {door.name!r}", _MANAGER)

    def shut_out(self, door: str) -> None:
        """End a door's connections, and let it make no other: before ``remove``, whose locks it could hold.

        Only the manager may. Raises HubError if there is no such door, or it is the manager.
        """
        if self._database.is_postgres:
            with self._database.begin() as connection:
                connection.execute(text("SELECT shut_out(:door)"), {"door": door})

    def put_missing(self, door: NewDoor) -> None:
        """Add a door that had joined, unless it is there: an older backup may lack it. Only the manager may."""
        with self._database.begin() as connection:
            insert_missing(connection, doors, [{**door_values(door), "joined_at": time_of(connection)}])

    def remove(self, door: str) -> None:
        """Shut a door out: its role and its connections end, and every key that was wrapped for it goes.

        Only the manager may. Its people and records stay. Raises HubError if there is no such door, or it is the
        manager.
        """
        with self._database.begin() as connection:
            if self._database.is_postgres:
                connection.execute(text("SELECT remove_door(:door)"), {"door": door})
            else:
                self._remove_plainly(connection, door)

    def report(self, document: bytes) -> None:
        """Say that this door is alive, with its sealed status; takes no revision."""
        row = {"door": self._member.door, "household": self._member.household, "document": document}
        with self._database.begin() as connection:
            statement = insert_into(connection, statuses).values(**row, seen_at=now_of(connection))
            new = {name: statement.excluded[name] for name in ("household", "document", "seen_at")}
            connection.execute(statement.on_conflict_do_update(index_elements=["door"], set_=new))

    def statuses(self) -> tuple[Status, ...]:
        """Return the last sign of life of each door of the household; to the manager, of each of the estate."""
        with self._database.begin(reading=True) as connection:
            manager = connection.execute(select(estate.c.manager)).scalar() == self._member.door
        query = select(statuses).order_by(statuses.c.door)
        return self._all(query if manager else query.where(statuses.c.household == self._member.household), Status)

    def _remove_plainly(self, connection: Connection, door: str) -> None:
        gone = update(doors).where(doors.c.identifier == door, doors.c.removed_at.is_(None))
        if door == self._member.door or not connection.execute(gone.values(removed_at=now_of(connection))).rowcount:
            raise HubError("the hub has no such door, or it is the manager", _MANAGER)
        for table in (person_keys, household_keys, statuses):
            connection.execute(delete(table).where(table.c.door == door))
        connection.execute(delete(invitations).where(invitations.c.identifier == door))


_MANAGER = "facesecure hub doors, on the manager, lists them"


def time_of(connection: Connection) -> datetime:
    """Return the hub's time."""
    if connection.dialect.name != "postgresql":
        return datetime.now(UTC)
    found: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return found.astimezone(UTC)
