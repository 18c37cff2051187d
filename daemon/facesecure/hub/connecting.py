"""How a door connects to PostgreSQL: always encrypted, the server always checked, and never waiting for ever."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from facesecure.domain.errors import HubError

PATIENCE = 10.0
"""Seconds that a statement, or a wait for a lock, may take unless told."""
LOCK_SHARE = 0.8
"""How much of it a wait for a lock may take: it ends first, so that it is told from a slow statement."""
_CONNECTING = 5
_DRIVER = "postgresql+psycopg"
_WITH_REQUIRED_AUTH = 160000
"""The version of libpq that can insist on how the password is asked for."""
_HINT = f"write it as {_DRIVER}://HOST:5432/DATABASE"
_OURS = frozenset({"password", "sslmode", "sslrootcert", "sslcert", "sslkey", "options"})


@dataclass(frozen=True)
class HubAddress:
    """Where the hub's database is, and how this door proves who it is.

    ``url`` is ``postgresql+psycopg://user@host:port/database``; the password is given apart, so that no log line holds
    it. ``root`` is the file with the certificate of the authority that signed the server's; without it the system's
    authorities are trusted. ``certificate`` and ``key`` are files with the door's own, where the server asks for one.
    A host that is a folder (``?host=/run/postgresql``) is a socket of this machine, without TLS.
    Tests may give ``sqlite:///file``.

    Example::

        HubAddress("postgresql+psycopg://facesecure_door_1@hub.example:5432/hub", password, root=Path("hub-ca.pem"))
    """

    url: str
    password: str | None = None
    root: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def parsed(self) -> URL:
        """Return the URL in parts. Raises HubError if it is none, has a password, or settings that are made here."""
        try:
            url = make_url(self.url)
        except (ArgumentError, ValueError) as error:
            raise HubError("the address of the hub's database is no URL", _HINT) from error
        if url.drivername not in (_DRIVER, "sqlite"):
            raise HubError(f"the hub's database is not PostgreSQL: {url.drivername!r}", _HINT)
        if url.drivername == _DRIVER and not url.database:
            raise HubError("the address of the hub's database names no database", _HINT)
        if url.password is not None or _OURS & set(url.query):
            raise HubError("the address of the hub's database has a password or settings of TLS in it", _HINT)
        return url

    @property
    def where(self) -> str:
        """Where it is, for messages: host, port and database."""
        url = self.parsed()
        return f"{url.host or 'this machine'}{f':{url.port}' if url.port else ''}/{url.database}"


def make_engine(address: HubAddress, *, patience: float = PATIENCE) -> Engine:
    """Return an engine that keeps one connection to ``address``, made when it is first used. Raises HubError."""
    url = address.parsed()
    if url.drivername == "sqlite":
        engine = create_engine(url, connect_args={"timeout": patience, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        connect_args=_arguments(address, url, patience),
        pool_size=1,
        max_overflow=0,
        pool_reset_on_return="rollback",
    )


def _arguments(address: HubAddress, url: URL, patience: float) -> dict[str, Any]:
    milliseconds = round(1000 * patience)
    limits = {
        "search_path": "facesecure",
        "timezone": "UTC",
        "statement_timeout": milliseconds,
        "lock_timeout": round(LOCK_SHARE * milliseconds),
        "idle_in_transaction_session_timeout": max(milliseconds, 30_000),
    }
    return {
        "password": address.password,
        "connect_timeout": _CONNECTING,
        "application_name": "facesecure",
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        "gssencmode": "disable",
        **(_secured(address) if not _local(url) else {}),
    }


def _local(url: URL) -> bool:
    return str(url.host or url.query.get("host", "")).startswith("/")


def _secured(address: HubAddress) -> dict[str, Any]:
    secured: dict[str, Any] = {"sslmode": "verify-full", "sslrootcert": str(address.root or "system")}
    if address.certificate and address.key:
        secured |= {"sslcert": str(address.certificate), "sslkey": str(address.key)}
    else:
        secured |= {"sslcert": "/nonexistent", "sslkey": "/nonexistent"}  # never one that lies in ~/.postgresql
    if psycopg.pq.version() >= _WITH_REQUIRED_AUTH:
        secured["require_auth"] = "scram-sha-256"  # a false server must not be told the password
    return secured


def _prepare_sqlite(connection: Any, record: Any) -> None:  # noqa: ARG001
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
