"""The one connection of a door to the hub's database: transactions with a limit of time, and waiting for changes.

PostgreSQL wakes whoever listens in the database at each notification, so that LISTEN costs the doors times their
changes. A hub with few doors notifies; one with many keeps a number for each door, which the door looks at. The hub
says which of the two holds, and may change that at any time.
"""

from __future__ import annotations

import logging
import os
import random
import select
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from facesecure.domain.errors import HubUnreachableError
from facesecure.hub.connecting import LOCK_SHARE, PATIENCE, HubAddress, make_engine
from facesecure.hub.deadlines import Deadlines
from facesecure.hub.failures import translated
from facesecure.hub.looking import look_at
from facesecure.hub.news import Look, News
from facesecure.hub.remembering import Remembering

__all__ = ["HubAddress", "HubDatabase"]

_SQLITE_PAUSE = 0.05
_PAUSES = 0.2, 60.0
"""Seconds between two looks: the shortest and the longest that the hub may ask for."""
_JITTER = 0.75, 1.25
"""How a pause varies, so that the doors do not look all at once."""

_DEADLINES = Deadlines()

_log = logging.getLogger(__name__)


class HubDatabase:
    """One lasting connection to the hub, made when it is first needed, and again after it was lost.

    Safe to use from several threads: they take turns. Raises HubError and its subclasses (``domain.errors``).

    Example::

        with database.begin() as connection:
            connection.execute(text("SELECT 1"))
    """

    def __init__(self, address: HubAddress) -> None:
        """Connect to nothing yet. Raises HubError if the address cannot be used."""
        self.where = address.where
        self._engine = make_engine(address)
        self.is_postgres = self._engine.dialect.name == "postgresql"
        self._turn = threading.Lock()
        self._connected = False
        self._noticed = self._wrote = False
        self._seen = -1
        self._pause: float | None = None
        self._waits = 0
        self.remembering, self.news = Remembering(), News()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        weakref.finalize(self, _close, self._wake_read, self._wake_write)

    @contextmanager
    def begin(
        self, timeout: float | None = None, *, connect: bool = True, reading: bool = False
    ) -> Iterator[Connection]:
        """Open a transaction that commits when the block ends without an error, and rolls back otherwise.

        Each statement, each wait for a lock and the wait for other threads ends after ``timeout`` seconds, 10 unless
        told, and so does the whole block: then its connection is cut. Without ``connect`` it raises
        HubUnreachableError at once if there is no connection: making one may take five seconds. Unless it is only
        ``reading``, what the hub answered before is forgotten.
        """
        if not reading:
            self.remembering.forget()
        with self._in_turn(PATIENCE if timeout is None else timeout), translated(self.where):
            self._wrote |= not reading
            if not (connect or self._connected):
                raise HubUnreachableError(
                    f"there is no connection to the hub at {self.where}", "facesecure tries again"
                )
            with self._connection() as connection, _cut_after(connection, timeout or 3 * PATIENCE), connection.begin():
                if timeout is not None and self.is_postgres:
                    limit_time(connection, timeout)
                yield connection

    def wait(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for a change that concerns this door. Return whether there may be one.

        True after each new connection too: what was notified before is lost. Raises HubError if the connection is
        lost, and makes it if there is none. Other threads may use the database meanwhile.
        """
        deadline = time.monotonic() + timeout
        self._waits += 1
        while True:
            number = self._listen()
            if self._noticed:
                self._noticed = False
                self._listen()  # the counts may be older than what was notified
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            pause = left if number or self._pause is None else min(left, self._pause * random.uniform(*_JITTER))
            ready, _, _ = select.select([self._wake_read, *number], [], [], pause)
            if self._wake_read in ready and b"w" in self._drained():
                return False

    @property
    def is_looking(self) -> bool:
        """Whether the hub has so many doors that each looks for changes by itself, instead of being notified."""
        return self.is_postgres and self._pause is not None

    @property
    def is_connected(self) -> bool:
        """Whether the last use has left a connection."""
        return self._connected

    @property
    def is_followed(self) -> bool:
        """Whether this connection has been waited on since all that depends on a new one was done."""
        return self.remembering.counts is not None

    def wake(self, *about: str) -> None:
        """End a ``wait`` of another thread early; it returns False. ``about`` is told as ``News.tell`` is."""
        self.news.tell(*about)
        self._signal(b"w")

    def close(self, timeout: float = -1) -> None:
        """Close the connection, unless another thread still uses it after ``timeout`` seconds; -1: wait for that."""
        with suppress(HubUnreachableError), self._in_turn(timeout):
            self._engine.dispose()
            self._connected = False

    @contextmanager
    def _in_turn(self, timeout: float) -> Iterator[None]:
        if not self._turn.acquire(timeout=timeout):
            raise HubUnreachableError(f"the connection to the hub at {self.where} is busy", "facesecure tries again")
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Check the connection out, and throw it away if it was lost."""
        self._connected = False
        with self._engine.connect() as connection:
            try:
                yield connection
            except (DBAPIError, psycopg.Error) as error:
                if _is_lost(error, connection):
                    connection.invalidate()
                elif _waited_for_lock(error):
                    _end_stalled(connection)
                raise
            finally:
                self._connected = not connection.invalidated
                if connection.invalidated:
                    self.remembering.counts = None

    def _listen(self) -> list[int]:
        """Look whether anything has changed, and read what was notified. Return the socket's number while listening."""
        with self._in_turn(PATIENCE), translated(self.where), self._connection() as connection:
            if not self.is_postgres:
                self._look_at_file(connection)
                return []
            driver = connection.connection.driver_connection
            assert driver is not None
            self._look(connection, driver)
            return [driver.fileno()] if "listening" in connection.info else []

    def _look(self, connection: Connection, driver: Any) -> None:
        """Look at this door's numbers, and do what the hub wants: listen, or look again after a pause."""
        with _cut_after(connection, 3 * PATIENCE):
            every, found = look_at(driver)
            self._count(connection, found)
            if every:
                shortest, longest = _PAUSES
                self._pause = min(max(every / 1000, shortest), longest)
                changed = None if found is None else found.changed
                self._noticed |= connection.info.get("changed") != changed
                connection.info["changed"] = changed
                if connection.info.pop("listening", False):
                    _at_once(connection).execute(text("UNLISTEN *"))
            elif every is not None and "listening" not in connection.info:
                self._pause = None
                self._start_listening(connection, driver)

    def _count(self, connection: Connection, found: Look | None) -> None:
        """Keep how often each table has changed; not in the first wait on a connection, as everything is asked then.

        So it is in the first wait after an older hub was put back: what was read may be there no more.
        """
        before, connection.info["look"] = connection.info.get("look"), found
        if before is not None and (found is None or not found.follows(before)):
            connection.info.pop("first wait", None)
            connection.info.pop("listening", None)  # where this door is added again, it gets another channel
            self.remembering.forget()
            self._noticed = True
        known = connection.info.setdefault("first wait", self._waits) != self._waits
        self.remembering.counts = found.counts if known and found else None
        wrote, self._wrote = self._wrote, False
        self.news.look(found if known else None, wrote=wrote)

    def _start_listening(self, connection: Connection, driver: Any) -> None:
        channel = _at_once(connection).execute(text("SELECT channel FROM wakings WHERE door = me()")).scalar()
        if channel is not None:
            driver.add_notify_handler(self._notice)
            connection.execute(text(f'LISTEN "{channel}"'))
            connection.info.pop("changed", None)
            connection.info["listening"] = True
            self._noticed = True

    def _look_at_file(self, connection: Connection) -> None:
        newest = connection.execute(text("SELECT value FROM revisions")).scalar_one()
        if newest != self._seen:
            self._noticed, self._seen = True, newest
            self.news.look(None)
        self._pause = _SQLITE_PAUSE

    def _notice(self, _: object) -> None:
        """Note what was notified while another thread used the connection, which has read it."""
        self._noticed = True
        self._signal(b"n")

    def _signal(self, sign: bytes) -> None:
        with suppress(BlockingIOError):
            os.write(self._wake_write, sign)

    def _drained(self) -> bytes:
        with suppress(BlockingIOError):
            return os.read(self._wake_read, 4096)
        return b""


def _close(*numbers: int) -> None:
    for number in numbers:
        os.close(number)


def _at_once(connection: Connection) -> Connection:
    """Return ``connection`` without transactions: listening would end with its one."""
    return connection.execution_options(isolation_level="AUTOCOMMIT")


def limit_time(connection: Connection, seconds: float) -> None:
    """End each statement, and each wait for a lock, of this transaction after ``seconds``."""
    limits = text("SELECT set_config('statement_timeout', :limit, true), set_config('lock_timeout', :lock, true)")
    milliseconds = max(2, round(1000 * seconds))
    connection.execute(limits, {"limit": str(milliseconds), "lock": str(round(LOCK_SHARE * milliseconds))})


@contextmanager
def _cut_after(connection: Connection, seconds: float) -> Iterator[None]:
    """Shut the socket down after ``seconds``: where the network swallows everything, a statement waits for long."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        yield
        return
    number = driver.fileno()

    def cut() -> None:
        with suppress(OSError), socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM) as copy:
            copy.shutdown(socket.SHUT_RDWR)

    with _DEADLINES.within(seconds, cut):
        yield


def _waited_for_lock(error: Exception) -> bool:
    return isinstance(getattr(error, "orig", error), psycopg.errors.LockNotAvailable)


def _end_stalled(connection: Connection) -> None:
    """End what other doors have left open for a minute, so that the next try succeeds."""
    with suppress(DBAPIError), connection.begin():
        ended = connection.execute(text("SELECT end_stalled()")).scalar()
        if ended:
            _log.warning("%s connections of other doors to the hub were ended: they held up everybody", ended)


def _is_lost(error: Exception, connection: Connection) -> bool:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    driver = connection.connection.driver_connection if not connection.invalidated else None
    return isinstance(driver, psycopg.Connection) and (driver.closed or driver.broken)
