"""Room on the disk for a start: a full disk must not keep the door from being watched."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from facesecure.storage.backups import Backups
from facesecure.storage.snapshots import Snapshots

NEEDED = 1 << 18
"""Bytes that opening the database takes: its log, and that log's index."""
FREED = 4_000_000
"""Bytes to make room for when there is none: a day's writing."""
FULL = (errno.ENOSPC, errno.EDQUOT)
_PROBE = ".room"

_log = logging.getLogger(__name__)


def free_space(path: Path) -> int:
    """If the disk takes nothing more, let old things go, for the database at ``path`` to be opened and written.

    Snapshots first, the oldest before the others, then backups, but never the newest. Returns the bytes freed, 0
    where there was room, or nothing to be freed, or where something else is wrong with the disk.
    """
    if not disk_full(path.parent):
        return 0
    freed = count = 0
    for old in _dispensable(path):
        freed, count = freed + _removed(old), count + 1
        if freed >= FREED:
            break
    _log.critical("the disk is full: to start all the same, %d old files were let go (%.1f MB)", count, freed / 1e6)
    return freed


def disk_full(folder: Path) -> bool:
    """Whether the disk takes no more in ``folder``."""
    error = write_error(folder)
    return error is not None and error.errno in FULL


def write_error(folder: Path) -> OSError | None:
    """Why nothing can be written in ``folder``; None where it can. It is tried, for a disk's own figures may lie."""
    probe = folder / _PROBE
    try:
        with probe.open("wb", buffering=0) as file:
            os.posix_fallocate(file.fileno(), 0, NEEDED)
            file.write(bytes(NEEDED))
            os.fsync(file.fileno())
    except OSError as error:
        return error
    finally:
        _removed(probe)
    return None


def _dispensable(path: Path) -> Iterator[Path]:
    yield from (path.parent / relative for relative, _ in Snapshots(path.parent).files())  # their folders are dates
    yield from reversed(Backups(path).all()[1:])


def _removed(path: Path) -> int:
    try:
        size = path.stat().st_size
        path.unlink()
    except OSError:
        return 0
    return size
