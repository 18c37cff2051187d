"""The last rows that a door has read of a table: by them it notices that the hub was put back to an older state.

The number of the newest revision does not tell once the hub has grown past what the door had read. These rows do: no
row with a revision up to the last one read can be another than the door has read, and none of those can be gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from facesecure.hub.database import HubDatabase

_MOST = 100
_DIGITS = 16

Row = tuple[str, int, bytes]
"""The key of a row, its revision, and its signature."""


@dataclass
class LastRead:
    """The last rows read: by key, the revision and a digest of the signature. One thread uses it.

    ``floor`` is the highest revision of those that were read before, and are not among them any more.

    Example::

        last = LastRead()
        last.note("a" * 32, 7, signature)
        last.contradicted([("a" * 32, 7, other)], cursor=7)  # True: it was put back, and has grown since
    """

    rows: dict[str, tuple[int, str]] = field(default_factory=dict)
    floor: int = 0

    @classmethod
    def decode(cls, found: Mapping[str, Any]) -> LastRead:
        """Return what ``encoded`` returned. Raises ValueError, KeyError, TypeError, AttributeError."""
        rows = {str(key): (int(revision), str(digest)) for key, (revision, digest) in found["rows"].items()}
        return cls(rows, int(found["floor"]))

    def encoded(self) -> dict[str, Any]:
        """Return it for a JSON document."""
        return {"rows": {key: list(row) for key, row in self.rows.items()}, "floor": self.floor}

    def note(self, key: str, revision: int, signature: bytes) -> None:
        """Remember a row that was read."""
        self.rows[key] = revision, _digest(signature)
        self._shorten()

    def query(
        self, key: ColumnElement[str], revision: ColumnElement[int], signature: ColumnElement[bytes], cursor: int
    ) -> Select[Any]:
        """Return the query of what ``contradicted`` compares; ``cursor`` is the last revision read."""
        read = (revision > self.floor) & (revision <= cursor)
        columns: Any = key, revision, signature
        query: Select[Any] = select(*columns).where(key.in_(list(self.rows)) | read)
        return query.order_by(revision.desc()).limit(2 * _MOST + 1)  # so many only if there are others than were read

    def contradicted(self, found: Iterable[Row], cursor: int, may_be_gone: Collection[str] = ()) -> bool:
        """Return whether the hub, which has ``found``, was put back since: then everything is to be read again.

        What was found counts as read from then on, so that a row that nobody can read is no contradiction for ever.
        """
        there = {key: (revision, _digest(signature)) for key, revision, signature in found}
        read = {key: row for key, row in there.items() if row[0] <= cursor}
        gone = self.rows.keys() - there.keys() - set(may_be_gone)
        as_read = not gone and all(self.rows.get(key) == row for key, row in read.items())
        if as_read and (self.rows or cursor <= self.floor):
            return False
        self.rows, self.floor = read, 0
        self._shorten()
        return True

    def _shorten(self) -> None:
        while len(self.rows) > _MOST:
            oldest = min(self.rows, key=lambda key: self.rows[key][0])
            self.floor = max(self.floor, self.rows.pop(oldest)[0])


def was_put_back(
    database: HubDatabase,
    query: Callable[[], Select[Any]],
    last: LastRead,
    cursor: int,
    may_be_gone: Callable[[Collection[str]], Collection[str]] = lambda _: (),
) -> bool:
    """Return whether what the ``query`` finds contradicts what was read; some keys ``may_be_gone``.

    Within one connection it cannot: then the hub is not asked.
    """
    if database.is_followed or not (cursor or last.rows):
        return False
    with database.begin(reading=True) as connection:
        found = [(key, revision, bytes(signature)) for key, revision, signature in connection.execute(query())]
    gone = last.rows.keys() - {key for key, _, _ in found}
    return last.contradicted(found, cursor, may_be_gone(gone) if gone else ())


def _digest(signature: bytes) -> str:
    return hashlib.sha256(signature).hexdigest()[:_DIGITS]
