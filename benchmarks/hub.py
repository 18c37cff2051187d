"""Measure the hub: how soon a resident is known, and removed, at the doors concerned, and what doors cost the server.

    python -m benchmarks.hub [--doors 5 50 500] [--people 20000] [--seconds 60] [--visits 20]

A real PostgreSQL that syncs its disk, and doors that each have the store of a real one and one connection with TLS, in
several processes beside it: on a machine with few cores the doors, not the hub, are most of what is measured. Visits
are those of 500 doors; fewer doors have their share. Doors come in households of five that know the same people.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.hub_doors import Load, Noted, simulate
from benchmarks.hub_estate import Seat, cpu_seconds, estate, memory_mb

ALL_DOORS = 500
KNOWN, WIPED = 2.0, 2.0
"""The aims: seconds, for 95 of 100."""
ENROLMENTS, REMOVALS = 2.0, 1.0
"""A second, of all 500 doors."""


@dataclass(frozen=True)
class Figures:
    """What was seen with a number of doors. Times in seconds: medians and 95th percentiles."""

    doors: int
    visits: int
    enrolled: int
    removed: int
    known: tuple[float, float]
    wiped: tuple[float, float]
    turn: tuple[float, float]
    missing: int
    errors: int
    server_cpu_a_minute: float
    server_memory_mb: float


def measure(doors: int, people: int, seconds: float, visits: float, document: int = 8192) -> Figures:
    """Return what is seen of ``doors`` doors in ``seconds``."""
    share = doors / ALL_DOORS
    with estate(doors, round(people * share), document) as (server, seats):
        crews = _crews(seats, Load(visits * share, ENROLMENTS * share, REMOVALS * share, document))
        for crew in crews:
            crew.await_ready()
        before, started = cpu_seconds(server), time.monotonic()
        for crew in crews:
            crew.began.set()
        time.sleep(seconds)
        used, memory = (cpu_seconds(server) - before) * 60 / (time.monotonic() - started), memory_mb(server)
        time.sleep(5)  # what has just happened reaches the others
        for crew in crews:
            crew.stopped.set()
        results = [crew.result() for crew in crews]
    noted = [each for found, _ in results for each in found]
    return _figures(doors, noted, sum(errors for _, errors in results), seats, used, memory)


@dataclass
class Crew:
    """A process with some of the doors."""

    process: Any
    pipe: Connection
    began: Event
    stopped: Event
    doors: int

    def await_ready(self) -> None:
        """Wait until all its doors are connected."""
        for _ in range(self.doors):
            if not self.pipe.poll(300):
                raise TimeoutError("not all doors could connect")
            self.pipe.recv()

    def result(self) -> tuple[list[Noted], int]:
        """Return what happened at its doors."""
        found: tuple[list[Noted], int] = self.pipe.recv()
        self.process.join()
        return found


def _crews(seats: Sequence[Seat], load: Load) -> list[Crew]:
    count = min(4, max(1, len(seats) // 5))
    context = multiprocessing.get_context("spawn")
    crews = []
    for number in range(count):
        own = [seat for index, seat in enumerate(seats) if index % count == number]
        part = Load(load.visits / count, load.enrolments / count, load.removals / count, load.document)
        near, far = context.Pipe()
        began, stopped = context.Event(), context.Event()
        process = context.Process(target=_work, args=(own, part, began, stopped, far), daemon=True)
        process.start()
        crews.append(Crew(process, near, began, stopped, len(own)))
    return crews


def _work(seats: Sequence[Seat], load: Load, began: Event, stopped: Event, pipe: Connection) -> None:
    pipe.send(simulate(seats, load, began, stopped, pipe.send))


def _figures(doors: int, noted: list[Noted], errors: int, seats: Sequence[Seat], cpu: float, memory: float) -> Figures:
    moments: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    for what, whom, where, when in noted:
        moments[what].setdefault((whom, where), when)
    neighbours = {seat.door: seat.neighbours for seat in seats}
    known, unknown = _delays(moments["enrolled"], moments["known"], neighbours)
    wiped, unwiped = _delays(moments["removed"], moments["wiped"], neighbours)
    visits, enrolled, removed = (len(moments[what]) for what in ("turn", "enrolled", "removed"))
    times = (_pair(known), _pair(wiped), _pair(list(moments["turn"].values())))
    return Figures(doors, visits, enrolled, removed, *times, unknown + unwiped, errors, cpu, memory)


def _delays(
    caused: dict[tuple[str, str], float], seen: dict[tuple[str, str], float], neighbours: dict[str, tuple[str, ...]]
) -> tuple[list[float], int]:
    """Return the seconds until each other door of the household saw what one door did, and how many never saw it."""
    delays, missing = [], 0
    for (whom, where), when in caused.items():
        for door in neighbours[where]:
            if door != where and (whom, door) in seen:
                delays.append(seen[whom, door] - when)
            else:
                missing += door != where
    return delays, missing


def _pair(values: Sequence[float]) -> tuple[float, float]:
    return (float(np.median(values)), float(np.percentile(values, 95))) if values else (0.0, 0.0)


def show(found: Sequence[Figures]) -> None:
    """Print the figures."""
    table = Table(
        "doors", "visits", "known after s (p50, p95)", "wiped after s", "turn s", "never", "errors", "CPU s/min", "MB"
    )
    for one in found:
        times = (f"{p50:.2f}, {p95:.2f}" if p95 else "none" for p50, p95 in (one.known, one.wiped, one.turn))
        rest = (f"{one.missing}", f"{one.errors}", f"{one.server_cpu_a_minute:.1f}", f"{one.server_memory_mb:.0f}")
        table.add_row(f"{one.doors}", f"{one.visits}", *times, *rest)
    Console(width=140).print(table)


def draw(path: Path, found: Sequence[Figures]) -> None:
    """Write the chart of what the server uses by the number of doors, and of how soon residents are known."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    doors = [one.doors for one in found]
    figure, (cost, delay) = pyplot.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    cost.plot(doors, [one.server_cpu_a_minute for one in found], "o-", color="#2e7d32", label="measured")
    largest = found[-1]
    cost.plot([0, largest.doors], [0, largest.server_cpu_a_minute], "--", color="#90a4ae", label="in proportion")
    cost.set_title("PostgreSQL: CPU seconds a minute")
    delay.plot(doors, [one.known[1] for one in found], "o-", color="#2e7d32", label="known at the other doors")
    delay.plot(doors, [one.wiped[1] for one in found], "o-", color="#c62828", label="removed there")
    delay.axhline(KNOWN, linestyle="--", color="#90a4ae", label="aim")
    delay.set_title("Seconds, 95 of 100")
    for axes in (cost, delay):
        axes.set_xlabel("doors")
        axes.set_ylim(bottom=0)
        axes.legend()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--doors", type=int, nargs="+", default=[5, 50, 150, 300, 500])
    parser.add_argument("--people", type=int, default=20_000, help="of all 500 doors")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--visits", type=float, default=20.0, help="a second, of all 500 doors")
    parser.add_argument("--out", type=Path, default=Path("out/bench"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    found = []
    for doors in options.doors:
        found.append(measure(doors, options.people, options.seconds, options.visits))
        show(found)
    load = os.getloadavg()
    kept = {"figures": [asdict(one) for one in found], "load": load, "cores": os.cpu_count()}
    (options.out / "hub.json").write_text(json.dumps(kept, indent=1))
    draw(options.out / "hub.png", found)


if __name__ == "__main__":
    main()
