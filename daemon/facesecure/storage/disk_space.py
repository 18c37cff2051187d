"""Free disk space at start-up, so that the daemon can start on a full disk."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from facesecure.storage.backups import Backups
from facesecure.storage.clips import Clips
from facesecure.storage.snapshots import Snapshots
from facesecure.util.files import create_file

NEEDED = 1 << 18
"""Bytes needed to open the database: its log, and the index of the log."""
FREED = 4_000_000
"""Bytes to free when the disk is full: about a day of writing."""
FULL = (errno.ENOSPC, errno.EDQUOT)
_PROBE = ".room"

_log = logging.getLogger(__name__)


def free_space(path: Path) -> int:
    """If the disk is full, delete old files, so that the database at ``path`` can be opened and written.

    Films go first, then snapshots, both the oldest first, then backups, but never the newest. Return the bytes freed:
    0 if there was space, if there was nothing to delete, or if the disk has another fault.
    """
    if not disk_full(path.parent):
        return 0
    freed = count = 0
    for old in _dispensable(path):
        freed, count = freed + _removed(old), count + 1
        if freed >= FREED:
            break
    _log.critical(
        "the disk is full: %d old files were deleted so that facesecure can start (%.1f MB)", count, freed / 1e6
    )
    return freed


def disk_full(folder: Path) -> bool:
    """Return whether the disk of ``folder`` is full."""
    error = write_error(folder)
    return error is not None and error.errno in FULL


def write_error(folder: Path) -> OSError | None:
    """Write a test file in ``folder``, because a disk's own figures may be wrong; return the error, or None."""
    probe = folder / _PROBE
    try:
        with os.fdopen(create_file(probe), "wb", buffering=0) as file:
            os.posix_fallocate(file.fileno(), 0, NEEDED)
            file.write(bytes(NEEDED))
            os.fsync(file.fileno())
    except OSError as error:
        return error
    finally:
        _removed(probe)
    return None


def _dispensable(path: Path) -> Iterator[Path]:
    yield from Clips(path.parent).paths()
    yield from (path.parent / relative for relative, _ in Snapshots(path.parent).files())  # their folders are dates
    yield from reversed(Backups(path).all()[1:])


def _removed(path: Path) -> int:
    try:
        size = path.stat().st_size
        path.unlink()
    except OSError:
        return 0
    return size
