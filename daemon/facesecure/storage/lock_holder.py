"""Find out which process holds the database's write lock."""

from __future__ import annotations

import os
from pathlib import Path

_WRITE_LOCK = 120
"""Offset of the write lock's byte in the -shm file of a database with a write-ahead log (SQLite: WAL_WRITE_LOCK)."""
_LOCKS = Path("/proc/locks")


def lock_holder(database: Path) -> str | None:
    """Return the other process that holds the write lock, as "process 123 (sqlite3)"; None if it cannot be found."""
    try:
        inode = database.with_name(database.name + "-shm").stat().st_ino
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        process = _holder(line, inode)
        if process is not None and process not in (0, os.getpid()):
            return f"process {process}{_name(process)}"
    return None


def _holder(line: str, inode: int) -> int | None:
    """Return the process that a line like "1: POSIX ADVISORY WRITE 123 08:01:4567 120 120" says holds the lock."""
    fields = line.split()
    if len(fields) != 8 or fields[3] != "WRITE" or not fields[5].endswith(f":{inode}"):
        return None
    first, last = fields[6], fields[7]
    covers = first.isdecimal() and int(first) <= _WRITE_LOCK and (last == "EOF" or int(last) >= _WRITE_LOCK)
    return int(fields[4]) if covers else None


def _name(process: int) -> str:
    try:
        return f" ({Path(f'/proc/{process}/comm').read_text().strip()})"
    except OSError:
        return ""
