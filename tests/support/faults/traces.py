"""What somebody leaves on a disk, and whether it is still there: a search of every byte of a state directory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

SEALED = ("faces", "templates", "seen_faces", "marked_faces")


def bytes_of(state_dir: Path) -> bytes:
    """The content and the name of every file."""
    return b"".join(
        path.read_bytes() + path.relative_to(state_dir).as_posix().encode()
        for path in sorted(state_dir.rglob("*"))
        if path.is_file()
    )


def found(state_dir: Path, needles: Iterable[bytes]) -> list[bytes]:
    """Those of ``needles`` that stand somewhere in the state directory."""
    haystack = bytes_of(state_dir)
    return [needle for needle in needles if needle in haystack]


def sealed_values(state_dir: Path, table: str, where: str = "1") -> list[bytes]:
    """A piece from the middle of every sealed value in the rows of ``table``: long enough to be no coincidence."""
    columns = ("embedding",) if table == "templates" else ("embedding", "crop_png")
    with closing(sqlite3.connect(state_dir / "facesecure.db")) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(f"SELECT * FROM {table} WHERE {where}").fetchall()
    return [bytes(row[column])[100:164] for row in rows for column in columns]


def all_sealed_values(state_dir: Path) -> list[bytes]:
    """Of every table."""
    return [value for table in SEALED for value in sealed_values(state_dir, table)]


def spellings(name: str) -> list[bytes]:
    """The name as bytes, in every encoding and case in which a file may have it."""
    cases = {name, name.casefold(), name.upper()}
    texts = {*cases, *(json.dumps(one)[1:-1] for one in cases)}
    return sorted({text.encode(encoding) for text in texts for encoding in ("utf-8", "utf-16-le", "utf-16-be")})


def uids(state_dir: Path) -> list[bytes]:
    """The random identifiers of all people, and of their sets of templates."""
    with closing(sqlite3.connect(state_dir / "facesecure.db")) as connection:
        rows = connection.execute("SELECT uid, edition FROM people").fetchall()
    return [value.encode() for row in rows for value in row]
