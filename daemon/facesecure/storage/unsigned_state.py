"""Tell a state directory of version 0.1, whose files are not signed: they are taken over once, before it is migrated.

That a database is version 0.1's shows in its revision and in an embedding that is encrypted as only that version did
it. So nobody without the key can make a newer state directory look like an older one, unless they have a copy from
before; ``facesecure key rotate`` makes such copies worthless.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from facesecure.storage.keys import Key

FIRST_ENCRYPTED, FIRST_SIGNED = "0004", "0006"
DATABASE_NAME = "facesecure.db"
_TRIED = 20
"""How many values of each table are tried: some may be damaged."""

_INDEX = re.compile(r"CREATE INDEX \w+ ON \w+ \(\w+(?:, \w+)*\)")
_CONDITION = re.compile(r"\b(?:CHECK|GENERATED|AS|VIRTUAL|CONFLICT|COLLATE)\b", re.IGNORECASE)
_UNIQUE = {("people", ("name_key",)), ("deliveries", ("alert", "channel")), ("accounts", ("name_key",))}
_ONE_TEMPLATE = ("templates", ("person_id", "model_sha256"))
"""Unique until a person could have several templates, from revision 0003 on."""
_COLUMNS = "SELECT name FROM pragma_index_info(?)"

OLD_OWNERS: dict[str, tuple[str, Callable[..., str]]] = {
    "faces": ("person_id", lambda person: f"person {person}"),
    "templates": ("person_id", lambda person: f"person {person}"),
    "seen_faces": ("sighting", lambda sighting: f"sighting {sighting}"),
    "marked_faces": (
        "visitor_id, not_person_id",
        lambda visitor, person: f"visitor {visitor}, not {person or 'anybody'}",
    ),
}
"""For each table, the columns that name the owner of an embedding, and the owner as version 0.1 authenticated it."""


def is_unsigned_state(state_dir: Path, key: Key) -> bool:
    """Return whether ``state_dir`` is version 0.1's: its files are not signed, and its database is not migrated."""
    path = state_dir / DATABASE_NAME
    if not path.exists():
        return False
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=10)) as connection:
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            if not FIRST_ENCRYPTED <= str(revision) < FIRST_SIGNED:
                return False
            return any(_opens(key, *value) for value in _old_values(connection))
    except (sqlite3.Error, TypeError):
        return False


def tampering(connection: sqlite3.Connection, revision: str) -> str:
    """Return what only others can have done to a database that says it is of ``revision``; empty if there is nothing.

    Triggers and views could change or hide what is written; conditions, unique and computed values refuse it.
    """
    foreign = connection.execute("SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone()
    if foreign is not None:
        return f"it has the {foreign[0]} {foreign[1]!r}"
    for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"):
        if not (_INDEX.fullmatch(sql) if kind == "index" else not _CONDITION.search(sql)):
            return f"the {kind} {name!r} has conditions that facesecure does not make"
        uniques = connection.execute("SELECT name FROM pragma_index_list(?) WHERE origin = 'u'", (name,)).fetchall()
        for (unique,) in uniques:
            covered = tuple(column for (column,) in connection.execute(_COLUMNS, (unique,)))
            if (name, covered) not in _UNIQUE | ({_ONE_TEMPLATE} if revision < "0003" else set()):
                return f"the table {name!r} has conditions that facesecure does not make"
    columns = {column for _, column, *_ in connection.execute("PRAGMA table_info(people)")}
    newer = "uid" in columns and revision < FIRST_SIGNED
    return f"it says that it is of revision {revision!r}, and is newer" if newer else ""


def _old_values(connection: sqlite3.Connection) -> Iterator[tuple[bytes, str, str]]:
    """Yield (encrypted embedding, column, owner) of some rows of each table."""
    for table, (columns, owner) in OLD_OWNERS.items():
        for embedding, *owned_by in connection.execute(
            f"SELECT embedding, {columns} FROM {table} ORDER BY id LIMIT {_TRIED}"
        ):
            yield embedding, f"{table}.embedding", owner(*owned_by)


def _opens(key: Key, value: Any, column: str, owner: str) -> bool:
    from facesecure.storage.encryption import FieldCipher

    try:
        FieldCipher(key).decrypt(bytes(value), column, owner)
    except (ValueError, TypeError):
        return False
    return True
