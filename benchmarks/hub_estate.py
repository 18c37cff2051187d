"""An estate for the bench of the hub: a real PostgreSQL with doors and people in it, made without waiting for each."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import psycopg

from facesecure.hub.connecting import HubAddress
from facesecure.hub.roles import make_hub
from facesecure.hub.row_values import role_of
from facesecure.hub.rows import Estate, NewDoor, Right

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the real PostgreSQL of the tests

from support.postgres.server import ADMINISTRATOR, Server, made_server  # noqa: E402

HOUSEHOLD = 5
"""Doors that know the same people."""
_ALL = frozenset(Right)


@dataclass(frozen=True)
class Seat:
    """How one door reaches the hub, and the doors of its household."""

    door: str
    household: str
    url: str
    password: str
    root: str
    neighbours: tuple[str, ...]

    @property
    def address(self) -> HubAddress:
        """Where the hub is."""
        return HubAddress(self.url, self.password, Path(self.root))


@contextmanager
def estate(doors: int, people: int, document: int) -> Iterator[tuple[Server, list[Seat]]]:
    """Yield a server that syncs its disk, with ``doors`` doors and ``people`` people of ``document`` bytes each."""
    settings = {"max_connections": str(doors + 40), "shared_buffers": "'256MB'", "work_mem": "'2MB'"}
    with made_server(durable=True, settings=settings) as server:
        name, password = server.new_database(), secrets.token_urlsafe(16)
        manager = _door(secrets.token_hex(16))
        made = Estate(secrets.token_hex(16), b"a" * 32, manager.identifier, datetime.now(UTC))
        make_hub(HubAddress(server.url(ADMINISTRATOR, name), server.password, server.authority.root), made, manager,
                 password, [])  # fmt: skip
        seats = _seats(server, name, doors, password)
        with server.connect(database=name, options="-c search_path=facesecure") as connection:
            _add_doors(connection, seats, password)
            _add_people(connection, seats, people, document)
            connection.execute("ANALYZE")
        yield server, seats


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


def _door(household: str) -> NewDoor:
    return NewDoor(secrets.token_hex(16), "door", household, _ALL, b"b" * 32, b"s" * 32, b"certificate")


def _seats(server: Server, name: str, doors: int, password: str) -> list[Seat]:
    seats = []
    for _ in range(0, doors, HOUSEHOLD):
        household = secrets.token_hex(16)
        members = tuple(secrets.token_hex(16) for _ in range(HOUSEHOLD))
        for door in members:
            url = server.url(role_of(door), name)
            seats.append(Seat(door, household, url, password, str(server.authority.root), members))
    return seats[:doors]


def _add_doors(connection: psycopg.Connection[Any], seats: list[Seat], password: str) -> None:
    verifier = connection.pgconn.encrypt_password(password.encode(), b"x", b"scram-sha-256").decode()
    with connection.transaction():
        for seat in seats:
            connection.execute(
                "INSERT INTO doors (identifier, name, household, role, box_key, sign_key, rights, certificate)"
                " VALUES (%s, 'door', %s, %s, %s, %s, 'arm,enrol,view', 'certificate')",
                (seat.door, seat.household, role_of(seat.door), b"b" * 32, b"s" * 32),
            )
            connection.execute("SELECT make_role(%s, %s, 'infinity')", (role_of(seat.door), verifier))


def _add_people(connection: psycopg.Connection[Any], seats: list[Seat], people: int, document: int) -> None:
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
