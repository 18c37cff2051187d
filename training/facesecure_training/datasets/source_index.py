"""The sources of an extraction, and where the journal records them: in a file, so that memory does not grow with them.

It is made from the journal and can be made again at any time.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Self

from facesecure.domain.errors import SourceError
from facesecure_training.datasets.sources import Recording

_PAGE, _COMMIT = 1000, 200
_TABLES = """
CREATE TABLE IF NOT EXISTS done (name TEXT PRIMARY KEY, place INTEGER, state TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS read (until INTEGER);
DROP TABLE IF EXISTS sources;
CREATE TABLE sources (number INTEGER PRIMARY KEY, name TEXT UNIQUE, path BLOB, kind TEXT, remote BLOB, state TEXT);
"""
_WAITING = """
FROM sources LEFT JOIN done ON done.name = sources.name
WHERE number > ? AND done.state IS NOT sources.state
"""


class SourceIndex:
    """The sources that are there, in their order, and those that were done, by name.

    Example::

        with SourceIndex(output / ".extract" / "index.db") as index:
            index.there(recordings_in(source))
            waiting = [recording.name for recording in index.waiting()]
    """

    def __init__(self, path: Path) -> None:
        """Open the index; a damaged one, or one that has other columns, begins anew."""
        try:
            self._rows = self._opened(path)
        except sqlite3.DatabaseError:
            for one in (path, path.with_name(f"{path.name}-journal")):
                one.unlink(missing_ok=True)
            self._rows = self._opened(path)
        self._unsaved = 0

    @staticmethod
    def _opened(path: Path) -> sqlite3.Connection:
        rows = sqlite3.connect(path)
        try:
            rows.execute("PRAGMA synchronous = NORMAL")
            rows.executescript(_TABLES)
            _check(rows)
        except BaseException:
            rows.close()
            raise
        return rows

    @property
    def until(self) -> int:
        """How many bytes of the journal have been read into it."""
        found = self._rows.execute("SELECT until FROM read").fetchone()
        return found[0] if found and isinstance(found[0], int) else 0

    def begin_anew(self) -> None:
        """Forget what was done: the journal is another."""
        self._rows.executescript("DELETE FROM done; DELETE FROM read;")

    def note(self, name: str, place: tuple[int, str] | None, until: int) -> None:
        """Record where the journal says that a source was done, and its state then; None: it could not be read."""
        if place is None:
            self._rows.execute("DELETE FROM done WHERE name = ?", (name,))
        else:
            self._rows.execute("INSERT OR REPLACE INTO done VALUES (?, ?, ?)", (name, *place))
        self._unsaved += 1
        if self._unsaved >= _COMMIT:
            self.save(until)

    def save(self, until: int) -> None:
        """Write to the disk, with how many bytes of the journal are in it."""
        self._rows.execute("DELETE FROM read")
        self._rows.execute("INSERT INTO read VALUES (?)", (until,))
        self._rows.commit()
        self._unsaved = 0

    def there(self, recordings: Iterable[Recording]) -> int:
        """Record the sources that are there, with their states now; return how many. Of two by one name, one counts.

        One whose state cannot be read, as a link that leads nowhere, is tried again each time: whoever works on it says
        why it cannot be read.
        """
        self._rows.executemany(
            "INSERT OR IGNORE INTO sources (name, path, kind, remote, state) VALUES (?, ?, ?, ?, ?)",
            (_row(one) for one in recordings),
        )
        self._rows.commit()
        return int(self._rows.execute("SELECT count(*) FROM sources").fetchone()[0])

    def place(self, name: str) -> tuple[int, str] | None:
        """Return where the journal records a source, and its state then; None if it has not been done."""
        with closing(self._rows.execute("SELECT place, state FROM done WHERE name = ?", (name,))) as found:
            row: tuple[int, str] | None = found.fetchone()
        return row

    def count_waiting(self) -> int:
        """Return how many sources are to be done: new ones, and those that have changed."""
        return int(self._rows.execute(f"SELECT count(*) {_WAITING}", (0,)).fetchone()[0])

    def has_waiting_videos(self) -> bool:
        """Return whether a video is to be done."""
        return bool(self._rows.execute(f"SELECT count(*) {_WAITING} AND kind = 'video'", (0,)).fetchone()[0])

    def waiting(self) -> Iterator[Recording]:
        """Yield the sources to be done, in their order; others may be noted meanwhile."""
        after = 0
        while rows := self._rows.execute(
            f"SELECT number, sources.name, path, kind, remote, sources.state {_WAITING} ORDER BY number LIMIT ?",
            (after, _PAGE),
        ).fetchall():
            after = rows[-1][0]
            for _, name, path, kind, remote, state in rows:
                far = None if remote is None else os.fsdecode(remote)
                yield Recording(name, Path(os.fsdecode(path)), kind, far, state)

    def names(self) -> Iterator[str]:
        """Yield the names of the sources that are there, in their order."""
        with closing(self._rows.execute("SELECT name FROM sources ORDER BY number")) as found:
            yield from (name for (name,) in found)

    def places(self) -> Iterator[tuple[str, int | None]]:
        """Yield the name of each source and its place in the journal: those there in their order, then the others."""
        queries = (
            "SELECT sources.name, done.place FROM sources LEFT JOIN done ON done.name = sources.name ORDER BY number",
            "SELECT name, place FROM done WHERE name NOT IN (SELECT name FROM sources) ORDER BY name",
        )
        for query in queries:
            with closing(self._rows.execute(query)) as found:
                yield from found

    def __enter__(self) -> Self:
        """Return this index."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._rows.close()


def _check(rows: sqlite3.Connection) -> None:
    """Raise DatabaseError if a page is damaged, or a column is missing."""
    found = rows.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(found)
    rows.execute("SELECT name, place, state, until FROM done, read LIMIT 0")


def _row(one: Recording) -> tuple[str, bytes, str, bytes | None, str]:
    far = None if one.remote is None else os.fsencode(one.remote)
    return one.name, os.fsencode(one.path), one.kind, far, _state(one)


def _state(recording: Recording) -> str:
    try:
        return recording.state
    except SourceError:
        return ""
