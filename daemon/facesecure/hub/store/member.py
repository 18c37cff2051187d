"""Who asks the hub, and how: what all parts of the store have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
