"""Check that the database can be written: another process may have locked it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from facesecure.services.diagnostics.result import CheckContext, CheckResult, ok, warn
from facesecure.services.diagnostics.state import database

_WAIT = 2.0
"""Seconds: every writer of facesecure itself is done by then."""


def writing(context: CheckContext) -> Iterator[CheckResult]:
    """Check that no process has locked the database, and that no write waits for it. Changes nothing."""
    from facesecure.storage.deferred_journal import journal_of
    from facesecure.storage.lock_holder import lock_holder

    path = database(context)
    if not path.exists():
        return
    journal = journal_of(path)
    if not _writable(path):
        holder = lock_holder(path) or "another process"
        kept = f"; {_kilobytes(journal)} wait in {journal.name}" if journal.exists() else ""
        message = f"{path} is locked by {holder}{kept}; alerts are sent all the same"
        yield warn("writing", message, "end that process, or its transaction")
    elif _stays(journal):
        message = f"{_kilobytes(journal)} that an earlier run could not write wait in {journal}"
        yield warn("writing", message, "facesecure run writes them when it starts")
    else:
        yield ok("writing", "the database can be written, and nothing waits for it")


def _writable(path: Path) -> bool:
    """Return whether the write lock is to be had."""
    with closing(sqlite3.connect(path, timeout=_WAIT, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return False
    return True


def _stays(journal: Path) -> bool:
    """Return whether the journal is still there after a moment, in which a running daemon removes it."""
    deadline = time.monotonic() + _WAIT
    while journal.exists():
        if time.monotonic() > deadline:
            return True
        time.sleep(0.05)
    return False


def _kilobytes(journal: Path) -> str:
    return f"{journal.stat().st_size / 1e3:.0f} kB" if journal.exists() else "0 kB"
