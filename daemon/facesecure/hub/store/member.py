"""Who asks the hub, and how: what all parts of the store have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Insert, Select, Table, func
from sqlalchemy.dialects import postgresql, sqlite

from facesecure.hub.database import HubDatabase
from facesecure.hub.row_values import checked, checked_row
from facesecure.hub.rows import require_identifiers

BATCH = 200
"""How many rows are read at a time unless told."""

T = TypeVar("T")
P = ParamSpec("P")


class Batch(tuple[T, ...]):
    """The rows of one look that are what they should be, and how far it went: also over rows that are not.

    True unless there was nothing at all, so that whoever reads on until then, from ``read_to``, passes every row.

    Example::

        while rows := store.records.after(cursor):
            cursor = rows.read_to
    """

    read_to: int
    """The revision of the last row that was looked at."""
    read: int
    """How many rows were looked at."""

    def __new__(cls, rows: Iterable[T], read_to: int, read: int) -> Batch[T]:
        """Return ``rows``, of ``read`` that were looked at."""
        made = super().__new__(cls, rows)
        made.read_to, made.read = read_to, read
        return made

    def __bool__(self) -> bool:
        return self.read > 0


@dataclass(frozen=True)
class Member:
    """The door that a store acts for, and its household. The database itself knows it by its role."""

    door: str
    household: str

    def __post_init__(self) -> None:
        require_identifiers(self.door, self.household)


class Part:
    """A part of the store: queries of one subject, on one database, for one door."""

    def __init__(self, database: HubDatabase, member: Member) -> None:
        """Act for ``member``."""
        self._database, self._member = database, member

    def _all(self, query: Select[Any], make: Callable[..., T]) -> tuple[T, ...]:
        with self._database.begin(reading=True) as connection:
            return checked(connection.execute(query).mappings(), make)

    def _batch(self, query: Select[Any], make: Callable[..., T], cursor: int, revision: str = "revision") -> Batch[T]:
        """Return what ``query`` finds after ``cursor``, in the order of the column ``revision`` of its rows."""
        with self._database.begin(reading=True) as connection:
            found = connection.execute(query).mappings().all()
            return Batch(checked(found, make), found[-1][revision] if found else cursor, len(found))

    def _first(self, query: Select[Any], make: Callable[..., T]) -> T | None:
        with self._database.begin(reading=True) as connection:
            return checked_row(connection.execute(query).mappings().first(), make)


S = TypeVar("S", bound=Part)


def unless_unchanged(
    *tables: str, only_nothing: bool = False
) -> Callable[[Callable[Concatenate[S, P], T]], Callable[Concatenate[S, P], T]]:
    """Return a decorator of a query: it is not asked again while nothing in ``tables`` has changed for this door.

    It answers what it answered before, as of the last ``HubDatabase.wait``; ``only_nothing``: if that was nothing.
    """

    def decorate(query: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
        @wraps(query)
        def asked(self: S, /, *args: P.args, **options: P.kwargs) -> T:
            key = (query.__qualname__, args, tuple(sorted(options.items())))
            ask = partial(query, self, *args, **options)
            return self._database.remembering.answer(key, tables, ask, only_nothing=only_nothing)

        return asked

    return decorate


def now_of(connection: Connection) -> Any:
    """Return the hub's time, for a column. On PostgreSQL triggers see to it besides."""
    return func.clock_timestamp() if connection.dialect.name == "postgresql" else datetime.now(UTC)


def insert_into(connection: Connection, table: Table) -> Any:
    """Return an INSERT that can say what to do about a row that is there."""
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows that are not there yet."""
    if rows:
        statement: Insert = insert_into(connection, table).on_conflict_do_nothing()
        connection.execute(statement, list(rows))
