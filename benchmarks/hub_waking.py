"""Measure what a notification costs the server by the number of doors that listen, and what a look of a door costs.

    python -m benchmarks.hub_waking [--doors 10 60 200]

PostgreSQL signals every session that listens in the database at each notification, whatever its channel. A door that
looks asks for one number instead. Both are measured alone, as processor time of the server's processes.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import psycopg

from benchmarks.about import about, line
from benchmarks.hub_estate import cpu_seconds, estate
from facesecure.hub.row_values import role_of
from support.postgres.server import Server

_NOTIFIED = 100
_LOOKS = 5000
_LOOK = "SELECT changed, look_every FROM look()"


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--doors", type=int, nargs="+", default=[10, 60, 200])
    options = parser.parse_args()
    print(line(about(sys.argv, 0)))
    print(f"{'doors':>5} {'ms a notification':>18} {'of that a listener, us':>23} {'us a look':>10}")
    for doors in options.doors:
        with estate(doors, 0, 0) as (server, seats):
            name = seats[0].url.rpartition("/")[2]
            opened = [_opened(server, role_of(seat.door), name) for seat in seats]
            notified, looked = _notified(server, name, opened), _looked(server, opened)
            print(f"{doors:5} {notified * 1e3:18.2f} {notified / doors * 1e6:23.0f} {looked * 1e6:10.0f}", flush=True)
            for connection in opened:
                connection.close()


def _opened(server: Server, user: str, name: str) -> psycopg.Connection[Any]:
    return server.connect(user, name, options="-c search_path=facesecure")


def _notified(server: Server, name: str, opened: list[psycopg.Connection[Any]]) -> float:
    """Return the seconds of the server for a notification, while all of ``opened`` listen, each on its channel."""
    for number, connection in enumerate(opened):
        connection.execute(f'LISTEN "channel {number}"'.encode())
    with server.connect(database=name) as notifying:
        before = cpu_seconds(server)
        for number in range(_NOTIFIED):
            notifying.execute("SELECT pg_notify(%s, '')", (f"channel {number % len(opened)}",))
            time.sleep(0.01)
        time.sleep(0.5)
        used = cpu_seconds(server) - before
    for connection in opened:
        connection.execute("UNLISTEN *")
    return used / _NOTIFIED


def _looked(server: Server, opened: list[psycopg.Connection[Any]]) -> float:
    """Return the seconds of the server for a look, as doors make them one after the other."""
    for _ in range(6):  # prepared from then on
        for connection in opened:
            connection.execute(_LOOK)
    rounds = max(1, _LOOKS // len(opened))
    before = cpu_seconds(server)
    for _ in range(rounds):
        for connection in opened:
            connection.execute(_LOOK)
    return (cpu_seconds(server) - before) / (rounds * len(opened))


if __name__ == "__main__":
    main()
