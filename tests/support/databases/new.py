"""New databases at the cost of their statements alone: the first of a process is migrated, the others are made like it.

Fifteen migrations of nothing take eighty milliseconds, and thousands of tests begin with a new database.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from facesecure.storage import database

Migrate = Callable[[Engine, Path], None]
_SCHEMA = "SELECT sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY rowid"
_KEPT = ("alembic_version", "counters")
"""The tables of a new database that have rows, but for ``keys``, whose row names this database's own key."""


class MigratedOnce:
    """Does what ``migrate`` does, which is called for every database that is not new, and for the first new one.

    That is the first of each folder of migrations: a test may have its own.
    """

    def __init__(self, migrate: Migrate) -> None:
        self._migrate = migrate
        self._statements: dict[Path, list[tuple[str, tuple[Any, ...]]]] = {}

    def __call__(self, writer: Engine, state_dir: Path) -> None:
        with writer.begin() as connection:
            new = connection.exec_driver_sql(_SCHEMA).first() is None
            if new and (statements := self._statements.get(database.MIGRATIONS)):
                _make(connection, statements, state_dir)
                return
        self._migrate(writer, state_dir)
        if new:
            with writer.begin() as connection:
                self._statements[database.MIGRATIONS] = _statements_of(connection)


def _make(connection: Connection, statements: list[tuple[str, tuple[Any, ...]]], state_dir: Path) -> None:
    for statement, values in statements:
        connection.exec_driver_sql(statement, values)
    identifier = database._first_cipher(state_dir).identifier
    since = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
    connection.exec_driver_sql(f"INSERT INTO keys (identifier, since) VALUES (?, {since})", (identifier,))


def _statements_of(connection: Connection) -> list[tuple[str, tuple[Any, ...]]]:
    made: list[tuple[str, tuple[Any, ...]]] = [(sql, ()) for (sql,) in connection.exec_driver_sql(_SCHEMA).all()]
    for table in _KEPT:
        for row in connection.exec_driver_sql(f"SELECT * FROM {table}").all():
            made.append((f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", tuple(row)))
    return made
