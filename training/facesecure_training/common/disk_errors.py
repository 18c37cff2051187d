"""Says what could not be written, and what to do: about a full disk, a protected folder, a damaged index."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facesecure.domain.errors import DiskFullError, FacesecureError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn what a full disk raises into DiskFullError, and what else SQLite raises into FacesecureError.

    ``place`` is what is written to.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if is_full(error):
            raise DiskFullError(
                f"the disk of {place}, or your share of it, is full", "make room and run the same command again"
            ) from None
        if isinstance(error, OSError):
            raise
        raise FacesecureError(
            f"the index in {place} cannot be used ({error})", "run the same command again: it is made anew"
        ) from None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system raises inside the ``with`` block into FacesecureError, or DiskFullError, about ``path``."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise DiskFullError(
                f"{path} cannot be written: the disk, or your share of it, is full", "make room and try again"
            ) from error
        raise FacesecureError(
            f"{path} cannot be written ({error.strerror or error})", "who owns the folder, and is the disk read-only?"
        ) from error


def is_full(error: OSError | sqlite3.Error) -> bool:
    """Return whether the error is that of a full disk."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
