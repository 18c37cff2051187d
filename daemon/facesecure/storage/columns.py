"""The types of columns. SQLite stores any value in any column, so a value of another kind is read as none.

Only a damaged file, or somebody who writes to the database without facesecure, puts one there. It must not hide the
other rows, nor take memory: an integer in the place of bytes would be read as that many zeros.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import JSON, DateTime, Dialect, Float, Integer, LargeBinary, String
from sqlalchemy.types import TypeDecorator

from facesecure.storage.snapshots import is_snapshot_path
from facesecure.util.paths import readable

NEVER = datetime.fromtimestamp(0, UTC)
"""What is read for a time that is none."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


class _Checked(TypeDecorator[Any]):
    """A type whose values are read by ``kept``, and as ``missing`` where that raises ValueError or TypeError."""

    cache_ok = True
    missing: Any = None

    def kept(self, value: Any) -> Any:
        """Return ``value`` as Python uses it. Raises ValueError or TypeError if it is of another kind."""
        return value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Return the function that reads a value; a null stays a null."""
        decode = self.impl_instance.result_processor(dialect, coltype) if self.decodes else None

        def read(value: Any) -> Any:
            if value is None:
                return None
            try:
                return self.kept(decode(value) if decode else value)
            except (ValueError, TypeError, RecursionError):
                _warn_of(type(self).__name__, repr(value)[:80])
                return self.missing

        return read

    decodes = True
    """Whether the value is decoded by SQLAlchemy first."""


class UtcDateTime(_Checked):
    """An aware datetime, stored in UTC as text that sorts by time."""

    impl = DateTime
    cache_ok = True
    missing = NEVER

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert an aware datetime to naive UTC. Raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def kept(self, value: datetime) -> datetime:
        """Convert naive UTC to an aware datetime."""
        return value.replace(tzinfo=UTC)


class Text(_Checked):
    """Text in which the bytes of a file name that are not UTF-8 are escaped: SQLite stores no others."""

    impl = String
    cache_ok = True
    missing: Any = ""
    decodes = False

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Escape what cannot be stored."""
        return None if value is None else readable(value)

    def kept(self, value: Any) -> str:
        """Return a text. Raises TypeError for anything else."""
        return _of(str, value)


class SnapshotPath(Text):
    """The path of a snapshot. Anything else is read as no snapshot: the file would be shown and removed."""

    cache_ok = True
    missing = None

    def kept(self, value: Any) -> str:
        """Return the path of a snapshot. Raises ValueError or TypeError for anything else."""
        if is_snapshot_path(_of(str, value)):
            return str(value)
        raise ValueError("no path of a snapshot")


class Whole(_Checked):
    """A whole number; 0 for anything else."""

    impl = Integer
    cache_ok = True
    missing = 0
    decodes = False

    def kept(self, value: Any) -> int:
        """Return a whole number. Raises TypeError for anything else."""
        return _of(int, value)


class Number(_Checked):
    """A finite number."""

    impl = Float
    cache_ok = True
    decodes = False

    def kept(self, value: Any) -> float:
        """Return a finite number. Raises ValueError or TypeError for anything else."""
        if not math.isfinite(number := float(value if isinstance(value, int) else _of(float, value))):
            raise ValueError("not finite")
        return number


class Bytes(_Checked):
    """Bytes; none for anything else."""

    impl = LargeBinary
    cache_ok = True
    missing = b""
    decodes = False

    def kept(self, value: Any) -> bytes:
        """Return bytes. Raises TypeError for anything else."""
        return _of(bytes, value)


class Document(_Checked):
    """A JSON object; an empty one for anything else."""

    impl = JSON
    cache_ok = True

    @property
    def missing(self) -> dict[str, Any]:
        """A new empty object."""
        return {}

    def kept(self, value: Any) -> dict[str, Any]:
        """Return an object. Raises TypeError for anything else."""
        return _of(dict, value)


class Corners(_Checked):
    """The left, top, right and bottom of a box, as a JSON list; nothing for anything else."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def kept(self, value: Any) -> list[float]:
        """Return four numbers that are a box. Raises ValueError or TypeError for anything else."""
        left, top, right, bottom = map(Number().kept, _of(list, value))
        if not (-1e9 < left < right < 1e9 and -1e9 < top < bottom < 1e9):
            raise ValueError("not a box")
        return [left, top, right, bottom]


def _of(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise TypeError("a value of another kind")
    return value


@lru_cache(100)
def _warn_of(column: str, value: str) -> None:
    _log.warning(
        "the database has %s where %s belongs, which is ignored: it is damaged or somebody changed it", value, column
    )
