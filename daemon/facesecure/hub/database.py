"""Connections to the hub's database: TLS, limits of time, errors that say what to do, and waking by LISTEN."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection


@dataclass(frozen=True)
class HubAddress:
    """Where the hub's database is, and how this door proves who it is.

    ``url`` is ``postgresql+psycopg://user@host:port/database``; the password is given apart, so that no log line holds
    it. ``root`` is the file with the certificate of the authority that signed the server's (``verify-full``).
    ``certificate`` and ``key`` are files with the door's own, where the server asks for one.
    Tests may give ``sqlite:///file``.
    """

    url: str
    password: str | None = None
    root: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class HubDatabase:
    """One lasting connection to the hub, made when it is first needed, and again after it was lost.

    Safe to use from several threads: they take turns. Raises HubError and its subclasses (``domain.errors``).

    Example::

        with database.begin() as connection:
            connection.execute(text("SELECT 1"))
    """

    def __init__(self, address: HubAddress) -> None:
        """Connect to nothing yet."""
        raise NotImplementedError

    @contextmanager
    def begin(self, timeout: float | None = None, *, spare: bool = False) -> Iterator[Connection]:
        """Open a transaction that commits when the block ends without an error, and rolls back otherwise.

        Each statement, each wait for a lock and the wait for the connection end after ``timeout`` seconds, 10 unless
        told. With ``spare`` it does not wait for other threads: if the connection is in use, it makes another.
        """
        raise NotImplementedError

    def wait(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for a change that concerns this door. Return whether there may be one.

        True after each new connection too: what was notified before is lost. Raises HubError if the connection is
        lost, and makes it if there is none. Other threads may use the database meanwhile.
        """
        raise NotImplementedError

    def wake(self) -> None:
        """End a ``wait`` of another thread early; it returns False."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connection. A later use makes a new one."""
        raise NotImplementedError
