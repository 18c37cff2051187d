"""What the hub's database refuses or fails at, as HubErrors that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError

from facesecure.domain.errors import (
    HubConflictError,
    HubError,
    HubFullError,
    HubRefusedError,
    HubUnreachableError,
)

_AGAIN = "facesecure tries again"
_WAIT = f"{_AGAIN}; the doors go on without it"
_READ = "facesecure reads it again"
_SERVER = "look at the server of [hub] database and at its log"

_Failure = tuple[type[HubError], str, str]

_STATES: dict[str, _Failure] = {
    "53100": (HubFullError, "the hub's disk is full", f"free space on the hub's disk; {_AGAIN}"),
    "53200": (HubFullError, "the hub has no memory left", _SERVER),
    "53300": (
        HubUnreachableError,
        "the hub has no connection left",
        "raise max_connections of PostgreSQL to two for each door and 20 more",
    ),
    "58030": (HubError, "the hub's disk failed to read or write", "check the hub's disk"),
    "57014": (HubUnreachableError, "the hub was too slow", _WAIT),
    "55P03": (HubUnreachableError, "the hub was too slow: another door holds what this one needs", _WAIT),
    "25P03": (HubUnreachableError, "the hub ended a transaction that took too long", _WAIT),
    "40001": (HubUnreachableError, "two doors wrote the same at once", _WAIT),
    "40P01": (HubUnreachableError, "two doors wrote the same at once", _WAIT),
    "25006": (
        HubError,
        "the hub's database can only be read",
        "set [hub] database to the primary server, not a replica",
    ),
    "42501": (HubRefusedError, "the hub does not allow this door to do that", "facesecure hub doors shows its rights"),
    "28000": (
        HubRefusedError,
        "the hub does not let this door in",
        "was it removed? facesecure hub invite on the manager",
    ),
    "28P01": (
        HubRefusedError,
        "the hub does not accept this door's password",
        "if its invitation has expired, or it was removed: facesecure hub invite on the manager",
    ),
    "3D000": (HubError, "there is no such database", "check [hub] database"),
    "3F000": (HubError, "there is no hub in this database", "make one: facesecure hub init URL"),
    "42P01": (HubError, "there is no hub in this database, or an older one", "facesecure hub init URL makes it"),
    "42883": (HubError, "there is no hub in this database, or an older one", "facesecure hub init URL makes it"),
    "23505": (HubConflictError, "the hub has this already", _READ),
    "FS001": (HubConflictError, "the hub has a newer version of this already", _READ),
    "FS002": (HubConflictError, "the person was removed from the hub meanwhile", "facesecure removes them here too"),
    "FS003": (HubRefusedError, "this door has put too much into the hub", "see the limits in docs/hub.md"),
    "FS004": (HubError, "the hub has no such door", "facesecure hub doors lists them"),
}
_CLASSES: dict[str, _Failure] = {
    "08": (HubUnreachableError, "the connection to the hub was lost", _WAIT),
    "57": (HubUnreachableError, "the hub is stopping or starting", _WAIT),
    "53": (HubFullError, "the hub lacks disk or memory", _SERVER),
    "22": (HubError, "the hub refuses a value", "this is a bug in facesecure"),
    "23": (HubRefusedError, "the hub refuses a row that breaks its rules", "see the limits in docs/hub.md"),
}
_NO_LINE = (HubRefusedError, "the hub's pg_hba.conf does not let this door in", "see docs/hub.md")
_TEXTS: tuple[tuple[str, _Failure], ...] = (
    ("certificate verify failed", (
        HubRefusedError,
        "the hub's certificate is not signed by the authority that this door trusts",
        "check [hub] ca; if the server has a new authority, copy its certificate there",
    )),
    ("server certificate for", (
        HubRefusedError,
        "the hub's certificate is for another name than the one in [hub] database",
        "use the name that the certificate states",
    )),
    ("does not support SSL", (HubRefusedError, "the hub offers no TLS", "set ssl = on in its postgresql.conf")),
    ("could not read root certificate", (HubError, "the file of [hub] ca cannot be read", "check its rights")),
    ("root certificate file", (HubError, "the file of [hub] ca is missing", "check its path")),
    ("password authentication failed", _STATES["28P01"]),
    ("is not permitted to log in", _STATES["28000"]),
    ("requested authentication", (
        HubRefusedError,
        "the hub asks for the password in the clear",
        "set password_encryption = 'scram-sha-256' and scram-sha-256 in its pg_hba.conf",
    )),
    ("pg_hba.conf", _NO_LINE),
    ("permission denied for database", (
        HubRefusedError,
        "that database does not let this role in",
        "check the name of the database: [hub] database may name that of another hub",
    )),
    ("connection requires a valid client certificate", (
        HubRefusedError,
        "the hub asks for a client certificate",
        "set [hub] certificate and key",
    )),
    ("too many connections", _STATES["53300"]),
    ("connection slots", _STATES["53300"]),
    ("too many clients", _STATES["53300"]),
    ("does not exist", _STATES["3D000"]),
    ("starting up", _CLASSES["57"]),
    ("shutting down", _CLASSES["57"]),
    ("No space left on device", _STATES["53100"]),
)  # fmt: skip
_TO_ADMINISTRATOR: dict[_Failure, _Failure] = {
    _STATES["28P01"]: (
        HubRefusedError,
        "the server does not accept the administrator's name or password",
        "check both; PGPASSWORD, where it is set, is taken for the password",
    ),
    _STATES["28000"]: (
        HubRefusedError,
        "the server does not let the administrator in",
        "the role needs the right to log in, and a line in pg_hba.conf: docs/hub.md",
    ),
    _NO_LINE: (
        HubRefusedError,
        "the server's pg_hba.conf does not let the administrator in from here",
        "add a line for the role and this door's address: docs/hub.md",
    ),
    _STATES["42501"]: (
        HubRefusedError,
        "the hub does not allow this administrator to do that",
        "sign in as a superuser, or as the role that made the hub",
    ),
    _STATES["3D000"]: (HubError, "there is no such database", "make it first: docs/hub.md; or check the address"),
}
"""What is said otherwise to an administrator, who is neither a door nor invited."""


@contextmanager
def translated(where: str, *, administering: bool = False) -> Iterator[None]:
    """Convert errors of the database at ``where`` (no password in it) into HubErrors with a hint.

    The hint is for a door, or when ``administering`` for the database's administrator.
    """
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        failure = _failure(original)
        kind, reason, hint = _to_administrator(failure) if administering else failure
        raise kind(f"cannot use the hub at {where}: {reason}{_detail(original)}", hint) from error


def _to_administrator(failure: _Failure) -> _Failure:
    """Return what is said of ``failure`` to an administrator, who gives commands."""
    kind, reason, hint = _TO_ADMINISTRATOR.get(failure, failure)
    return kind, reason, hint_to_command(hint)


def hint_to_command(hint: str) -> str:
    """Return ``hint``, which is for a daemon, as it is for a command, which ends with the error."""
    for again in (_WAIT, _AGAIN, _READ):
        hint = hint.replace(again, "give the command again")
    return hint


def _failure(error: BaseException | None) -> _Failure:
    if isinstance(error, sqlite3.Error):
        return _sqlite_failure(error)
    state = getattr(error, "sqlstate", None)
    if state in _STATES:
        return _STATES[state]
    if state is not None:
        return _CLASSES.get(state[:2], (HubError, "its database reports an error", _SERVER))
    text = str(error)
    for part, failure in _TEXTS:
        if part in text:
            return failure
    return HubUnreachableError, "there is no connection", f"check that the server runs and can be reached; {_WAIT}"


def _sqlite_failure(error: sqlite3.Error) -> _Failure:
    if "FS002" in str(error):
        return _STATES["FS002"]
    if isinstance(error, sqlite3.IntegrityError):
        return _STATES["23505"] if "UNIQUE" in str(error) else _CLASSES["23"]
    return HubError, "its database reports an error", _SERVER


def _detail(error: BaseException | None) -> str:
    """Return the first line that the server or the library said, shortened: it says which host, file or limit."""
    diagnosis = getattr(error, "diag", None)
    text = (getattr(diagnosis, "message_primary", None) or str(error)).strip().split("\n")[0]
    return f" ({text[:300]})" if text else ""
