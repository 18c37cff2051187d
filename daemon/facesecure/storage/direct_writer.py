"""The writer of commands: each write is made at once, and waits for other writers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from facesecure.domain.errors import BusyError
from facesecure.storage.database import Database
from facesecure.storage.deferred_journal import Journal, journal_of
from facesecure.storage.write_queue import make_left_over
from facesecure.storage.writes import Write

SETTLE_SECONDS = 10.0
"""Seconds to wait for the daemon to make the writes that it has deferred."""


class DirectWriter:
    """Makes each write at once, and waits for other writers.

    Example::

        DirectWriter(database).do(AddAlert(alert, planned), timeout=1.0)
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.waiting = 0

    def do(self, write: Write, timeout: float | None = None) -> bool:
        """Make ``write``; see ``Writer``."""
        with self._database.write(timeout) as session:
            write.apply(session, deferred=False)
        return True

    def deferred(self) -> list[Write]:
        """Return nothing: no write is deferred here."""
        return []

    def settle(self) -> None:
        """Wait for the daemon's deferred writes; those of a daemon that was killed are made here. Raises BusyError."""
        path = journal_of(self._database.path)
        deadline = time.monotonic() + SETTLE_SECONDS
        while path.exists():
            with _unless_used(deadline), _closing(Journal(path, lambda: self._database.cipher)) as journal:
                make_left_over(self._database, journal)


@contextmanager
def _closing(journal: Journal) -> Iterator[Journal]:
    try:
        yield journal
    finally:
        journal.close()


@contextmanager
def _unless_used(deadline: float) -> Iterator[None]:
    """Ignore that another process uses the journal until ``deadline`` (monotonic), and pause."""
    try:
        yield
    except BusyError:
        if time.monotonic() >= deadline:
            raise
        time.sleep(0.05)
