"""The daemon's writes: made at once if the database is free, else kept in order and made when it is free again.

Another process may hold the database's write lock for long: an editor with an open transaction, a backup, a command
that hangs. An alarm must not wait for it. A write that is not made within QUICK seconds therefore goes to a journal
beside the database (``deferred_journal``), and so does every later one, so that their order is kept; a thread makes
them when the lock is gone, and removes the journal. After a kill the next start does so. Since a kill may come between
the two, a deferred write that is made a second time changes nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from facesecure.domain.errors import BusyError, StoreError
from facesecure.storage.database import Database
from facesecure.storage.deferred_journal import Journal, Place, journal_of
from facesecure.storage.lock_holder import lock_holder
from facesecure.storage.sighting_writes import SightingWrite
from facesecure.storage.write_codec import decoded, encoded
from facesecure.storage.writes import Write

QUICK = 0.05
"""Seconds that a write waits for other writers, twice at most: for this process, and for others."""
MAX_WRITES = 20_000
"""Writes that are deferred at most, alerts and their deliveries above all: weeks of a busy door."""
MAX_SIGHTING_BYTES = 64_000_000
"""Size of the journal from which no more sightings are kept: some 500 visits with their faces."""
_BATCH = 50
_TRY_SECONDS = 0.5
_PAUSE = 5.0
"""Seconds after an attempt that the disk made fail."""
_SAID_AFTER, _SAID_AGAIN, _FAILED_AGAIN = 1.0, 600.0, 60.0
_CLOSE_SECONDS = 0.3

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WriteLag:
    """How far writing lags: ``writes`` wait, the first for ``seconds``, since ``holder`` has locked the database."""

    writes: int
    seconds: float
    holder: str

    @property
    def words(self) -> str:
        """A clause for the status line and the log."""
        what = "1 write waits" if self.writes == 1 else f"{self.writes} writes wait"
        return f"{what} for the database, locked by {self.holder} for {self.seconds:.0f} s"


class WriteQueue:
    """A ``Writer`` that never waits long. Any thread may call it.

    Example::

        queue = WriteQueue.started(database)
        queue.do(AddAlert(alert, planned))
        queue.close()
    """

    def __init__(self, database: Database, journal: Journal) -> None:
        """Do nothing yet: ``start`` makes the writes that an earlier process left."""
        self._database, self._journal = database, journal
        self._queue: deque[Place] = deque()
        self._beside: deque[Write] = deque()
        """Writes that need no journal and no order, made once the queue is empty."""
        self._order, self._making = threading.Lock(), threading.Lock()
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="deferred-writes", daemon=True)
        self._since = self._said_at = 0.0
        self._failed_at = float("-inf")
        self._made = 0
        self._closed = False

    @classmethod
    def started(cls, database: Database) -> WriteQueue:
        """Return a queue that has begun, with what an earlier process left. Raises StoreError."""
        queue = cls(database, Journal(journal_of(database.path), lambda: database.cipher))
        queue.start()
        return queue

    @property
    def waiting(self) -> int:
        """The number of writes that were deferred and are not made yet."""
        return len(self._queue)

    @property
    def lag(self) -> WriteLag | None:
        """How far writing lags; None if nothing has waited for a second."""
        seconds, writes = time.monotonic() - self._since, len(self._queue)
        if not writes or seconds < _SAID_AFTER:
            return None
        return WriteLag(writes, seconds, lock_holder(self._database.path) or "another process")

    def start(self) -> None:
        """Make what an earlier process left, if the database is free, and begin. Raises StoreError."""
        self.resume()
        if self._queue:
            _log.warning("an earlier run left %d writes that the database could not take", len(self._queue))
            with suppress(BusyError):
                self.settle(QUICK)
            self._wake.set()
        self._thread.start()

    def resume(self) -> None:
        """Read what an earlier process left. Raises BusyError if another process uses the journal, StoreError."""
        self._queue.extend(self._journal.resume())
        self._since = time.monotonic()

    def do(self, write: Write, timeout: float | None = None) -> bool:  # noqa: ARG002 - it waits for QUICK seconds
        """Make ``write``, or defer it; see ``Writer``. One that may be made ``beside`` is always deferred."""
        with self._order:
            if write.beside:
                self._beside.append(write)
            elif not self._queue and self._made_now(write):
                return True
            else:
                self._defer(write)
        self._wake.set()
        return False

    def deferred(self) -> list[Write]:
        """Return the writes that were deferred and are not made yet, oldest first. A damaged one is left out."""
        with self._making, self._order:
            return [write for one in self._queue if (write := self._write_of(one)) is not None]

    def settle(self, timeout: float = _TRY_SECONDS) -> None:
        """Make everything that was deferred. Raises BusyError if the database stays locked for ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while self._queue or self._beside:
            if not self._attempt(QUICK) and time.monotonic() >= deadline:
                raise BusyError(
                    f"{len(self._queue)} writes wait for {self._database.path}, which is locked", "try again later"
                )

    def close(self) -> None:
        """Make what can be made within a moment; the rest stays in the journal for the next start."""
        self._stop.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(_TRY_SECONDS)
        with suppress(BusyError):
            self.settle(_CLOSE_SECONDS)
        if self._queue:
            _log.warning("%d writes are kept in %s for the next start", len(self._queue), self._journal.path)
        with self._order:
            self._closed = True
            self._journal.close()

    def _made_now(self, write: Write) -> bool:
        try:
            with self._database.write(QUICK) as session:
                write.apply(session, deferred=False)
        except BusyError:
            return False
        return True

    def _defer(self, write: Write) -> None:
        if self._closed:
            raise StoreError("facesecure is stopping and keeps no more writes", "it is tried again at the next start")
        if len(self._queue) >= MAX_WRITES:
            raise self._too_many(f"{MAX_WRITES} writes")
        if isinstance(write, SightingWrite) and self._journal.size >= MAX_SIGHTING_BYTES:
            raise self._too_many(f"{MAX_SIGHTING_BYTES / 1e6:.0f} MB of sightings")
        place = self._journal.append(encoded(write))
        if not self._queue:
            self._since, self._said_at, self._made = time.monotonic(), 0.0, 0
        self._queue.append(place)

    def _too_many(self, what: str) -> StoreError:
        hint = "end the process that has locked it: facesecure status names it"
        return BusyError(f"{what} wait for {self._database.path} already, which is locked", hint)

    # The thread that makes deferred writes ------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._wake.clear()
            while (self._queue or self._beside) and not self._stop.is_set():
                self._attempt(_TRY_SECONDS)

    def _attempt(self, timeout: float) -> bool:
        """Make a batch of what was deferred. Returns False if the database is locked or the disk fails."""
        with self._making:
            try:
                self._make_batch(timeout)
            except BusyError:
                self._say_locked()
                return False
            except Exception as error:  # noqa: BLE001 - a thread that ended here would never write again
                self._say_failed(error)
                self._stop.wait(_PAUSE)
                return False
        return True

    def _make_batch(self, timeout: float) -> None:
        with self._order:
            batch: list[Place | Write] = list(islice(self._queue, _BATCH))
            batch = batch or list(islice(self._beside, 1))
        with self._database.write(timeout) as session:
            for entry in batch:
                self._make(session, entry)
        self._done(batch)

    def _make(self, session: Session, entry: Write | Place) -> None:
        """Make one write; an error in it must not block those behind it."""
        write = self._write_of(entry)
        if write is None:
            return
        try:
            with session.begin_nested():
                write.apply(session, deferred=True)
        except (StoreError, DBAPIError) as error:
            if not isinstance(error, IntegrityError):
                raise
            self._give_up(write)
        except Exception:  # noqa: BLE001 - whatever is wrong with it
            self._give_up(write)

    def _give_up(self, write: Write) -> None:
        _log.critical("a deferred %s cannot be made and is given up", type(write).__name__, exc_info=True)

    def _write_of(self, entry: Write | Place) -> Write | None:
        """Return the write; None, with a log line, if the journal is damaged there. Raises StoreError."""
        if not isinstance(entry, Place):
            return entry
        try:
            return decoded(self._journal.read(entry))
        except (ValueError, KeyError, TypeError) as error:
            _log.critical("a deferred write in %s is lost: %s", self._journal.path, error)
            return None

    def _done(self, batch: Sequence[Place | Write]) -> None:
        with self._order:
            for entry in batch:
                (self._queue if isinstance(entry, Place) else self._beside).popleft()
                self._made += isinstance(entry, Place)
            if self._queue or not self._made:
                return
            self._journal.clear()
            made, self._made = self._made, 0
        if self._said_at:
            seconds = time.monotonic() - self._since
            _log.warning("%s is free after %.0f s: %d deferred writes are made", self._database.path, seconds, made)
            self._said_at = 0.0

    def _say_locked(self) -> None:
        now, lag = time.monotonic(), self.lag
        if lag is None or (self._said_at and now - self._said_at < _SAID_AGAIN):
            return
        self._said_at = now
        _log.warning("%s: alerts are sent all the same, and everything is kept in %s", lag.words, self._journal.path)

    def _say_failed(self, error: Exception) -> None:
        now = time.monotonic()
        if now - self._failed_at >= _FAILED_AGAIN:
            self._failed_at = now
            bug = None if isinstance(error, StoreError) else error
            _log.error("%d deferred writes cannot be made yet: %s", len(self._queue), error, exc_info=bug)


def make_left_over(database: Database, journal: Journal) -> None:
    """Make the writes that a killed daemon left. Raises BusyError while a daemon uses the journal."""
    queue = WriteQueue(database, journal)
    queue.resume()
    queue.settle()
