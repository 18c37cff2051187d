"""An estate for the bench of the hub: a real PostgreSQL with doors and people in it, made without waiting for each."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import psycopg

from facesecure.hub.certify import certified, wrapped_keys
from facesecure.hub.connecting import HubAddress
from facesecure.hub.identity import Authority, Certificate, DoorKeys, Identity, estate_of
from facesecure.hub.roles import make_hub
from facesecure.hub.row_values import door_values, role_of, without_revision
from facesecure.hub.rows import Estate, NewDoor, Right

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the real PostgreSQL of the tests

from support.postgres.server import ADMINISTRATOR, Server, made_server  # noqa: E402

HOUSEHOLD = 5
"""Doors that know the same people."""
_RIGHTS = frozenset(Right) - {Right.SHARE}


@dataclass(frozen=True)
class Seat:
    """What one door needs to be itself, as plain values for another process, and the doors of its household.

    ``head`` is the newest revision when it was made: what is older, the door has read.
    """

    door: str
    household: str
    url: str
    password: str
    ca: str
    secrets: tuple[bytes, bytes]
    authority_key: bytes
    certificate: bytes
    neighbours: tuple[str, ...]
    head: int = 0

    def identity(self) -> Identity:
        """Return who the door is."""
        keys = DoorKeys(*self.secrets)
        return Identity(
            self.door, self.url, role_of(self.door), self.password, keys, self.authority_key, self.certificate, self.ca
        )


@contextmanager
def estate(
    doors: int,
    people: int,
    document: int,
    *,
    parent: Path | None = None,
    port: int | None = None,
    looking: bool = False,
    **more: str,
) -> Iterator[tuple[Server, list[Seat]]]:
    """Yield a server that syncs its disk, with ``doors`` doors and ``people`` people of ``document`` bytes each.

    The doors have real keys and certificates. The people are of nobody: the doors have seen them. ``parent`` is the
    folder for the server, ``port`` stands in the doors' addresses for its own, ``more`` are settings of the server.
    ``looking``: the doors look for changes however few they are.
    """
    settings = {"max_connections": str(2 * doors + 40), "shared_buffers": "'256MB'", "work_mem": "'2MB'", **more}
    with made_server(parent, durable=True, settings=settings) as server:
        name, password, authority = server.new_database(), secrets.token_urlsafe(16), Authority.made()
        manager, certificate = _manager(authority, server.url("manager", name), password)
        made = Estate(manager.estate, manager.authority_key, manager.door, datetime.now(UTC))
        keys = wrapped_keys(authority, manager, [certificate], [1])
        administrator = HubAddress(server.url(ADMINISTRATOR, name), server.password, server.authority.root)
        make_hub(administrator, made, certified(authority, certificate), password, keys)
        url = server.url("door", name).replace(f":{server.port}/", f":{port or server.port}/")
        seats = _seats(authority, url, server.authority.root.read_text(), password, doors)
        with server.connect(database=name, options="-c search_path=facesecure") as connection:
            _add_doors(connection, authority, manager, seats)
            _add_people(connection, seats, people, document)
            if looking:
                connection.execute("UPDATE estate SET look_every = 1000")
            connection.execute("VACUUM FULL wakings")
            connection.execute("VACUUM ANALYZE")  # as a server does by itself before long
            head = connection.execute("SELECT last_value FROM revision_numbers").fetchone()
        yield server, [replace(seat, head=head[0] if head else 0) for seat in seats]


def cpu_seconds(server: Server) -> float:
    """Return the processor time that all processes of the server have used."""
    assert server.process is not None
    main = psutil.Process(server.process.pid)
    times = main.cpu_times()
    total = float(times.children_user + times.children_system)  # of those that have ended
    for process in (main, *main.children()):
        with suppress(psutil.NoSuchProcess, OSError):  # it may have ended since
            total += _used(process)
    return total


def _used(process: psutil.Process) -> float:
    """Return the processor time of a process: to the nanosecond, where the kernel says so, as 500 do little each."""
    try:
        return int(Path(f"/proc/{process.pid}/schedstat").read_text("ascii").split()[0]) / 1e9
    except FileNotFoundError:
        times = process.cpu_times()
        return float(times.user + times.system)


def memory_mb(server: Server) -> float:
    """Return the memory of all processes of the server, what they share counted once, in MB."""
    assert server.process is not None
    main = psutil.Process(server.process.pid)
    total = 0.0
    for process in (main, *main.children()):
        with suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().pss / 1e6
    return total


def _manager(authority: Authority, url: str, password: str) -> tuple[Identity, Certificate]:
    keys = DoorKeys.made()
    certificate = _certificate(authority, secrets.token_hex(16), keys, "manager", "managers")
    encoded = authority.certify(certificate)
    role = role_of(certificate.door)
    return Identity(certificate.door, url, role, password, keys, authority.public, encoded), certificate


def _certificate(authority: Authority, door: str, keys: DoorKeys, name: str, household: str) -> Certificate:
    return Certificate(
        estate_of(authority.public), door, name, authority.household(household), _RIGHTS, keys.box_key, keys.sign_key
    )


def _seats(authority: Authority, url: str, ca: str, password: str, doors: int) -> list[Seat]:
    seats = []
    for number in range(0, doors, HOUSEHOLD):
        members = tuple(secrets.token_hex(16) for _ in range(min(HOUSEHOLD, doors - number)))
        for place, door in enumerate(members):
            keys = DoorKeys.made()
            certificate = _certificate(authority, door, keys, f"door {number + place}", f"household {number}")
            encoded = authority.certify(certificate)
            seats.append(
                Seat(door, certificate.household, url, password, ca, keys.secrets, authority.public, encoded, members)
            )
    return seats


def _add_doors(
    connection: psycopg.Connection[Any], authority: Authority, manager: Identity, seats: Sequence[Seat]
) -> None:
    """Let the doors join without waiting for each: one password for all, whose verifier is made once."""
    verifier = connection.pgconn.encrypt_password(seats[0].password.encode(), b"x", b"scram-sha-256").decode()
    with connection.transaction():
        for seat in seats:
            certificate = seat.identity().own()
            connection.execute(*_row("doors", _door_row(certified(authority, certificate))))
            for key in wrapped_keys(authority, manager, [certificate], [1]):
                connection.execute(*_row("household_keys", without_revision(key)))
            connection.execute("SELECT make_role(%s, %s, 'infinity')", (role_of(seat.door), verifier))


def _door_row(door: NewDoor) -> dict[str, Any]:
    return {**door_values(door), "joined_at": datetime.now(UTC)}


def _row(table: str, values: dict[str, Any]) -> tuple[bytes, tuple[Any, ...]]:
    marks = ", ".join(["%s"] * len(values))
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})".encode(), tuple(values.values())


def _add_people(connection: psycopg.Connection[Any], seats: Sequence[Seat], people: int, document: int) -> None:
    """Add people to the households in turn, without triggers: these would date and announce each."""
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        named = [secrets.token_hex(16) for _ in range(people)]
        chosen = [seats[number * HOUSEHOLD % len(seats)] for number in range(people)]
        with connection.cursor() as cursor:
            with cursor.copy(
                "COPY people (identifier, household, author, version, document, signature) FROM STDIN"
            ) as copy:
                for person, seat in zip(named, chosen, strict=True):
                    copy.write_row((person, seat.household, seat.door, 1, secrets.token_bytes(document), b"s" * 64))
            with cursor.copy("COPY person_keys (person, door, wrapped, author, signature) FROM STDIN") as copy:
                for person, seat in zip(named, chosen, strict=True):
                    for door in seat.neighbours:
                        copy.write_row((person, door, b"w" * 120, seat.door, b"s" * 64))
        connection.execute("UPDATE person_keys SET revision = nextval('revision_numbers')")
