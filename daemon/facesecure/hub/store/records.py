"""Documents that all doors of a household share: visitors, marked faces, calibration, arming, mode."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select, update

from facesecure.hub.row_values import record_from, without_revision
from facesecure.hub.rows import Record, RecordKind
from facesecure.hub.store.last_read import LastRead, was_put_back
from facesecure.hub.store.member import BATCH, Batch, Part, insert_into, now_of, unless_unchanged
from facesecure.hub.tables import records


class Records(Part):
    """Documents that all doors of a household share: visitors, marked faces, calibration, arming, mode."""

    @unless_unchanged("records", only_nothing=True)
    def after(self, cursor: int, limit: int = BATCH) -> Batch[Record]:
        """Return records of the household that changed after ``cursor``, oldest change first."""
        query = select(records).where(records.c.household == self._member.household, records.c.revision > cursor)
        return self._batch(query.order_by(records.c.revision).limit(limit), record_from, cursor)

    def was_put_back(self, last: LastRead, cursor: int) -> bool:
        """Return whether the hub was put back to an older state since ``last`` was read, up to ``cursor``.

        The keys are the kind, a slash and the identifier.
        """

        def query() -> Select[Any]:
            key = records.c.kind + "/" + records.c.identifier
            found = last.query(key, records.c.revision, records.c.signature, cursor)
            return found.where(records.c.household == self._member.household)

        return was_put_back(self._database, query, last, cursor)

    @unless_unchanged("records")
    def get(self, kind: RecordKind, identifier: str) -> Record | None:
        """Return one, also if it was removed."""
        return self._first(select(records).where(self._is(kind, identifier)), record_from)

    def put(self, record: Record, after: int) -> int | None:
        """Write a record whose version at the hub is ``after`` (0: new; its own must be higher).

        Return the revision; None, and nothing is written, if the hub has another version: read it, merge, and try
        again. A record without document is a tombstone. ``mode`` and ``arming`` need the right to arm.
        """
        key = self._is(record.kind, record.identifier)
        with self._database.begin() as connection:
            if not (_insert(connection, record) if after == 0 else _replace(connection, record, key, after)):
                return None
        with self._database.begin() as connection:  # it has a revision as soon as it is committed
            return int(connection.execute(select(records.c.revision).where(key)).scalar_one())

    def _is(self, kind: RecordKind, identifier: str) -> ColumnElement[bool]:
        ours = records.c.household == self._member.household
        return ours & (records.c.kind == kind.value) & (records.c.identifier == identifier)


def _written(connection: Connection, record: Record) -> dict[str, Any]:
    values = {**without_revision(record), "kind": record.kind.value}
    del values["removed_at"]
    if connection.dialect.name != "postgresql":
        values["removed_at"] = now_of(connection) if record.document is None else None
    return values


def _insert(connection: Connection, record: Record) -> bool:
    statement = insert_into(connection, records).values(**_written(connection, record)).on_conflict_do_nothing()
    return connection.execute(statement.returning(records.c.identifier)).first() is not None


def _replace(connection: Connection, record: Record, key: ColumnElement[bool], after: int) -> bool:
    written = _written(connection, record)
    values = {name: value for name, value in written.items() if name not in ("household", "kind", "identifier")}
    statement = update(records).where(key, records.c.version == after, records.c.version < record.version)
    return bool(connection.execute(statement.values(**values)).rowcount)
