"""Measure the hub: how soon a resident is known, and removed, at the doors concerned, and what each door costs.

    python -m benchmarks.hub [--doors 5 20 50 100 200 300 500] [--people 20000] [--seconds 60] [--visits 20] [--looking]

A real PostgreSQL that syncs its disk, and doors that run the front's own code (``benchmarks.hub_doors``) with TLS, each
with a state directory, in several processes beside it: on a machine with few cores the doors, not the hub, are most of
what is measured. Visits are those of 500 doors; fewer doors have their share. Doors come in households of five that
know the same people. With SLOW_MOTION=3 in the environment the machine counts as one three times as fast
(``benchmarks.slow_motion``).
"""

from __future__ import annotations

from benchmarks import slow_motion

# isort: split
# What follows keeps the clock for itself.

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.about import about, line
from benchmarks.hub_doors import Noted
from benchmarks.hub_estate import Seat, cpu_seconds, estate, memory_mb
from benchmarks.hub_load import Course, Load, simulate

ALL_DOORS = 500
KNOWN, WIPED = 2.0, 2.0
"""The aims: seconds, for 95 of 100."""
RESTING = 20.0
"""Seconds in which doors that were all opened at once come to rest before anything happens."""
ENROLMENTS, REMOVALS = 2.0, 1.0
"""A second, of all 500 doors."""


@dataclass(frozen=True)
class Figures:
    """What was seen with a number of doors. Times in seconds: medians and 95th percentiles.

    ``missing``: who was not known, or not wiped, at a door until the end. ``alone``: strangers about whom the others
    were not asked in time. CPU in seconds a minute, of the server and of one door.
    """

    doors: int
    visits: int
    enrolled: int
    removed: int
    known: tuple[float, float]
    wiped: tuple[float, float]
    turn: tuple[float, float]
    missing: int
    errors: int
    alone: int
    server_cpu_a_minute: float
    server_memory_mb: float
    door_cpu_a_minute: float
    rounds_a_minute: float

    @property
    def server_cpu_a_door(self) -> float:
        """The CPU seconds of the server a minute, for one door."""
        return self.server_cpu_a_minute / self.doors


def measure(
    doors: int, people: int, seconds: float, visits: float, document: int = 8192, *, looking: bool = False
) -> Figures:
    """Return what is seen of ``doors`` doors in ``seconds``."""
    share = doors / ALL_DOORS
    with (
        estate(doors, round(people * share), document, looking=looking) as (server, seats),
        tempfile.TemporaryDirectory(prefix="facesecure-doors-") as folder,
    ):
        crews = _crews(seats, Load(visits * share, ENROLMENTS * share, REMOVALS * share), Path(folder))
        with Progress(transient=True) as progress:
            task = progress.add_task(f"opening {doors} doors", total=2 * doors)
            for crew in crews:
                crew.await_ready(lambda: progress.advance(task))
        time.sleep(RESTING)
        before, started = cpu_seconds(server), time.monotonic()
        for crew in crews:
            crew.began.set()
        time.sleep(seconds)
        minutes = (time.monotonic() - started) / 60
        used, memory = (cpu_seconds(server) - before) / minutes, memory_mb(server)
        for crew in crews:
            crew.stopped.set()
        results = [crew.result() for crew in crews]
    return _figures(seats, results, minutes, used, memory)


@dataclass
class Crew:
    """A process with some of the doors."""

    process: Any
    pipe: Connection
    began: Event
    stopped: Event
    doors: int

    def await_ready(self, on_step: Callable[[], object]) -> None:
        """Wait until all its doors are open, and have done all their duties once."""
        for _ in range(2 * self.doors):
            if not self.pipe.poll(300):
                raise TimeoutError("not all doors could connect")
            self.pipe.recv()
            on_step()

    def result(self) -> Course:
        """Return what happened at its doors."""
        found: Course = self.pipe.recv()
        self.process.join()
        return found


def _crews(seats: Sequence[Seat], load: Load, folder: Path) -> list[Crew]:
    count = min(4, max(1, len(seats) // 5))
    context = multiprocessing.get_context("spawn")
    crews = []
    for number in range(count):
        own = [seat for index, seat in enumerate(seats) if index % count == number]
        part = Load(load.visits / count, load.enrolments / count, load.removals / count)
        near, far = context.Pipe()
        began, stopped = context.Event(), context.Event()
        process = context.Process(target=_work, args=(own, part, folder, began, stopped, far), daemon=True)
        process.start()
        crews.append(Crew(process, near, began, stopped, len(own)))
    return crews


def _work(seats: Sequence[Seat], load: Load, folder: Path, began: Event, stopped: Event, pipe: Connection) -> None:
    pipe.send(simulate(seats, load, folder, began, stopped, pipe.send))


def _figures(seats: Sequence[Seat], courses: Sequence[Course], minutes: float, cpu: float, memory: float) -> Figures:
    moments: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    noted: list[Noted] = [each for course in courses for each in course.noted]
    for what, whom, where, when in sorted(noted, key=lambda each: each[3]):
        moments[what].setdefault((whom, where), when)
    neighbours = {seat.door: seat.neighbours for seat in seats}
    gone = {whom for whom, _ in moments["removed"]}  # perhaps before they were known elsewhere
    known, unknown = _delays(moments["enrolled"], moments["known"], neighbours, lambda whom, _: whom not in gone)
    was_known = moments["known"].keys()
    wiped, unwiped = _delays(moments["removed"], moments["wiped"], neighbours, lambda *who: who in was_known)
    visits, enrolled, removed = (len(moments[what]) for what in ("turn", "enrolled", "removed"))
    times = (_pair(known), _pair(wiped), _pair(list(moments["turn"].values())))
    errors, alone = sum(course.errors for course in courses), sum(course.alone for course in courses)
    each = len(seats) * minutes
    door_cpu, rounds = sum(course.cpu for course in courses) / each, sum(course.rounds for course in courses) / each
    return Figures(
        len(seats), visits, enrolled, removed, *times, unknown + unwiped, errors, alone, cpu, memory, door_cpu, rounds
    )


def _delays(
    caused: dict[tuple[str, str], float],
    seen: dict[tuple[str, str], float],
    neighbours: dict[str, tuple[str, ...]],
    must: Callable[[str, str], bool],
) -> tuple[list[float], int]:
    """Return the seconds until each other door of the household saw what one door did, and how many never saw it.

    ``must(whom, door)``: whether that door has to see it.
    """
    delays, missing = [], 0
    for (whom, where), when in caused.items():
        for door in neighbours[where]:
            if door != where and (whom, door) in seen:
                delays.append(seen[whom, door] - when)
            else:
                missing += door != where and must(whom, door)
    return delays, missing


def _pair(values: Sequence[float]) -> tuple[float, float]:
    return (float(np.median(values)), float(np.percentile(values, 95))) if values else (0.0, 0.0)


def show(found: Sequence[Figures]) -> None:
    """Print the figures."""
    table = Table(
        "doors", "visits", "known after s (p50, p95)", "wiped after s", "turn s", "never", "errors", "alone",
        "server CPU s/min", "a door's share", "a door's own", "rounds/min", "MB",
    )  # fmt: skip
    for one in found:
        times = (f"{p50:.2f}, {p95:.2f}" if p95 else "none" for p50, p95 in (one.known, one.wiped, one.turn))
        counts = (f"{one.missing}", f"{one.errors}", f"{one.alone}", f"{one.server_cpu_a_minute:.1f}")
        costs = (f"{one.server_cpu_a_door:.3f}", f"{one.door_cpu_a_minute:.2f}", f"{one.rounds_a_minute:.1f}")
        table.add_row(f"{one.doors}", f"{one.visits}", *times, *counts, *costs, f"{one.server_memory_mb:.0f}")
    Console(width=180).print(table)


def draw(path: Path, found: Sequence[Figures]) -> None:
    """Write the chart of what a door costs, and of how soon residents are known, by the number of doors."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    doors = [one.doors for one in found]
    figure, (cost, delay) = pyplot.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    cost.plot(doors, [one.server_cpu_a_door for one in found], "o-", color="#2e7d32", label="of PostgreSQL")
    cost.plot(doors, [one.door_cpu_a_minute for one in found], "o-", color="#1565c0", label="of the door itself")
    cost.set_title("CPU seconds a minute, for each door")
    for times, colour, label in (("known", "#2e7d32", "known at the other doors"), ("wiped", "#c62828", "wiped there")):
        seen = [(one.doors, *getattr(one, times)) for one in found if any(getattr(one, times))]
        delay.plot(
            [one for one, _, _ in seen], [p95 for *_, p95 in seen], "o-", color=colour, label=f"{label}, 95 of 100"
        )
        delay.plot([one for one, _, _ in seen], [p50 for _, p50, _ in seen], "o:", color=colour, label=f"{label}, half")
    delay.axhline(KNOWN, linestyle="--", color="#90a4ae", label="aim")
    delay.set_title("Seconds")
    for axes in (cost, delay):
        axes.set_xlabel("doors")
        axes.set_ylim(bottom=0)
        axes.legend()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--doors", type=int, nargs="+", default=[5, 20, 50, 100, 200, 300, 500])
    parser.add_argument("--people", type=int, default=20_000, help="of all 500 doors")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--visits", type=float, default=20.0, help="a second, of all 500 doors")
    parser.add_argument("--looking", action="store_true", help="let few doors look for changes, as many do")
    parser.add_argument("--out", type=Path, default=Path("out/bench"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    print(line(about(sys.argv, 0)), f"Slow motion: {slow_motion.FACTOR:g}." if slow_motion.FACTOR != 1 else "")
    found = []
    for doors in options.doors:
        found.append(measure(doors, options.people, options.seconds, options.visits, looking=options.looking))
        show(found)
    load = os.getloadavg()
    kept = {
        "figures": [asdict(one) for one in found],
        "slow_motion": slow_motion.FACTOR,
        "load": load,
        "cores": os.cpu_count(),
    }
    (options.out / "hub.json").write_text(json.dumps(kept, indent=1))
    draw(options.out / "hub.png", found)


if __name__ == "__main__":
    main()
