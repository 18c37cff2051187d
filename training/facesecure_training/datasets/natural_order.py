"""Names in natural order, sorted in a file: sorting 100,000 of them in memory takes 100 MB, their letters 3 MB."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from facesecure.camera.sources.images import natural_key
from facesecure_training.common.photos import class_name
from facesecure_training.datasets.names import Texts

_TABLES = """
PRAGMA temp_store = FILE;
CREATE TABLE given (name BLOB, key BLOB, class BLOB);
CREATE TABLE sorted (place INTEGER PRIMARY KEY, name BLOB, class BLOB);
"""
_SORT = "INSERT INTO sorted (name, class) SELECT name, class FROM given ORDER BY key, rowid"
_NAMES = "SELECT name FROM sorted ORDER BY place"
_BY_CLASS = """
SELECT name FROM (SELECT name, place, min(place) OVER (PARTITION BY class) AS first FROM sorted) ORDER BY first, place
"""


def in_natural_order(names: Iterable[str], *, by_class: bool = False) -> Texts:
    """Return ``names`` in natural order; ``by_class``: those of one class together, at the place of its first."""
    with closing(sqlite3.connect("")) as rows:  # a file that SQLite removes when it is closed
        rows.executescript(_TABLES)
        rows.executemany(
            "INSERT INTO given VALUES (?, ?, ?)",
            ((os.fsencode(name), key_of(name), class_name(name).encode()) for name in names),
        )
        rows.execute(_SORT)
        return Texts(os.fsdecode(name) for (name,) in rows.execute(_BY_CLASS if by_class else _NAMES))


def key_of(name: str) -> bytes:
    """Return bytes that are sorted as ``natural_key`` is."""
    return b"".join(map(_part, natural_key(Path(name))))


def _part(part: tuple[int, int, str]) -> bytes:
    """Return a number with its length before it, or a text with its end marked: what is shorter comes first."""
    is_text, number, text = part
    if is_text:
        return b"\1" + text.encode("utf-8", "surrogatepass") + b"\0"
    digits = number.to_bytes((number.bit_length() + 7) // 8)
    return b"\0" + len(digits).to_bytes(4) + digits
