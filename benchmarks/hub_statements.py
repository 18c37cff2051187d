"""Measure what the statements of one door cost the server, by the number of doors that it has.

    python -m benchmarks.hub_statements [--doors 50 500]

Only one of the doors is connected, so that nothing but the size of the hub differs. Processor time of the server's
processes, of statements that are prepared; a visit with the transaction in which it is handed in.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Callable
from typing import Any

import psycopg

from benchmarks.about import about, line
from benchmarks.hub_estate import Seat, cpu_seconds, estate
from facesecure.hub.row_values import role_of
from support.postgres.server import Server

_TIMES = 400
_PEOPLE = 40
"""For each door."""
_NEXT = b"SELECT identifier, document FROM sightings WHERE household = %s AND revision > 1 ORDER BY revision LIMIT 1"
Work = Callable[[psycopg.Connection[Any]], object]


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--doors", type=int, nargs="+", default=[50, 500])
    options = parser.parse_args()
    print(line(about(sys.argv, 0)))
    for doors in options.doors:
        with estate(doors, _PEOPLE * doors, 8192, looking=True) as (server, seats):
            costs = measure(server, seats[-1])
        print(f"with {doors} doors, ms: " + ", ".join(f"{what} {1e3 * cost:.2f}" for what, cost in costs.items()))


def measure(server: Server, seat: Seat) -> dict[str, float]:
    """Return the seconds of the server for each of the statements of the door of ``seat``."""
    works: dict[str, Work] = {
        "a look": lambda connection: connection.execute("SELECT * FROM look()", prepare=True),
        "a turn to tell of a stranger": lambda connection: connection.execute("SELECT take_turn()", prepare=True),
        "a visit handed in": lambda connection: _hand_in(connection, seat),
        "a visit read": lambda connection: connection.execute(_NEXT, (seat.household,), prepare=True),
    }
    with server.connect(role_of(seat.door), seat.url.rpartition("/")[2]) as connection:
        return {what: _cost(server, connection, work) for what, work in works.items()}


def _hand_in(connection: psycopg.Connection[Any], seat: Seat) -> None:
    with connection.transaction():
        connection.execute(
            "INSERT INTO sightings (identifier, household, author, document, signature, at)"
            " VALUES (%s, %s, %s, 'sealed', %s, now())",
            (secrets.token_hex(16), seat.household, seat.door, bytes(64)),
            prepare=True,
        )


def _cost(server: Server, connection: psycopg.Connection[Any], work: Work) -> float:
    for _ in range(10):  # prepared, and with plans that are kept, from then on
        work(connection)
    before = cpu_seconds(server)
    for _ in range(_TIMES):
        work(connection)
    return (cpu_seconds(server) - before) / _TIMES


if __name__ == "__main__":
    main()
