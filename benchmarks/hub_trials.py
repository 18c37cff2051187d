"""Try the hub and real doors with what goes wrong, and check what must hold whatever happens.

    python -m benchmarks.hub_trials [restart cut full clock liar] [--doors 10] [--seconds 60] [--looking]

``restart``: the hub is killed, and later restarted. ``cut``: no door reaches it for a third of the time, in which
happens what an hour brings. ``full``: its disk has no byte left (needs root). ``clock``: one door's clock is ten
minutes ahead. ``liar``: one door writes what it likes with its own role. Before, while and after that, people are
enrolled and removed at random doors, modes set, and strangers come to one door and, once the alert is confirmed, to
another.

In the end, when the doors have had the time to agree: everybody who was enrolled is known at all the household's doors,
nobody who was removed; all have one mode; each visit is at the hub; nobody was notified twice after a confirmation; no
door's role reads a row of another household. Exit status 1 if anything of that does not hold.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.about import about, line
from benchmarks.hub_checks import Found, disagreement, foreign_rows, lost_visits
from benchmarks.hub_clock import own_clocks, wrong
from benchmarks.hub_complaints import Complaints
from benchmarks.hub_course import Course
from benchmarks.hub_doors import BenchDoor, stand_in
from benchmarks.hub_estate import Seat, estate
from benchmarks.hub_liar import lying
from benchmarks.hub_relay import Relay
from facesecure.hub import link
from support.faults.disks import small_disk
from support.postgres.server import Server

_AGREED_WITHIN = 180.0
_AHEAD = 600.0


@dataclass
class Stage:
    """What a trial plays with."""

    server: Server
    relay: Relay
    seats: list[Seat]
    disk: Path | None = None
    doors: list[BenchDoor] = field(default_factory=list)


Trouble = Callable[[Stage, float], AbstractContextManager[None]]


@contextmanager
def restarted(stage: Stage, seconds: float) -> Iterator[None]:
    """Kill the server at the beginning, restart it in the middle in order."""

    def act() -> None:
        stage.server.kill()
        time.sleep(1)
        stage.server.start()
        time.sleep(seconds / 2)
        stage.server.stop()
        stage.server.start()

    with _beside(act):
        yield


@contextmanager
def cut_off(stage: Stage, _: float) -> Iterator[None]:
    """Cut the relay during the block."""
    stage.relay.cut()
    try:
        yield
    finally:
        stage.relay.mend()


@contextmanager
def full(stage: Stage, _: float) -> Iterator[None]:
    """Leave no byte free on the server's disk during the block."""
    assert stage.disk is not None
    filler = stage.disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):  # which says that it is full
        while True:
            file.write(b"x" * 65536)
    try:
        yield
    finally:
        filler.unlink()
        if stage.server.process is None or stage.server.process.poll() is not None:
            stage.server.start()  # its log found no space, for which PostgreSQL stops
        stage.server.wait()


@contextmanager
def as_before(_: Stage, __: float) -> Iterator[None]:
    """Do nothing: the trouble is there all the time."""
    yield


TRIALS: dict[str, Trouble] = {
    "restart": restarted, "cut": cut_off, "full": full, "clock": as_before, "liar": as_before
}  # fmt: skip


def run(name: str, doors: int, seconds: float, *, looking: bool = False) -> Found:
    """Return what was found in a trial."""
    with _stage(name, doors, looking) as stage, Complaints().counting() as complaints:
        course = Course(stage.server, stage.doors, speed=60 if name == "cut" else 1)
        course.begin()
        course.play(seconds / 3)
        with TRIALS[name](stage, seconds / 3):
            course.play(seconds / 3)
        course.play(seconds / 3)
        began = time.monotonic()
        while True:
            left, lost, settled = (
                disagreement(course, stage.doors),
                lost_visits(course, stage.server),
                time.monotonic() - began,
            )
            if not (left or lost) or settled > _AGREED_WITHIN:
                break
            time.sleep(0.5)
        foreign = foreign_rows(stage.doors)
        bugs = [said for said in complaints.said if "this is a bug" in said]
    return Found(name, course.counts(), settled, left, lost, course.twice, foreign, bugs, complaints.said)


@contextmanager
def _stage(name: str, doors: int, looking: bool) -> Iterator[Stage]:
    stand_in()
    link._LONGEST_PAUSE = 2.0  # a minute's wait after an hour's cut is one second after a minute's
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="facesecure-doors-")))
        disk = stack.enter_context(small_disk(folder / "disk", "400m")) if name == "full" else None
        if disk is not None:
            folder.chmod(0o755)
            disk.chmod(0o755)
        relay = Relay()
        stack.callback(relay.close)
        more = {"max_wal_size": "'64MB'"} if disk else {}
        server, seats = stack.enter_context(
            estate(doors, 100, 4096, parent=disk, port=relay.port, looking=looking, **more)
        )
        relay.target = server.port
        if name == "clock":
            stack.enter_context(own_clocks())
        stage = Stage(server, relay, seats, disk)
        liar = seats[-1] if name == "liar" else None
        for number, seat in enumerate(one for one in seats if one is not liar):
            door = BenchDoor(seat, folder, [])
            stage.doors.append(door)
            if name == "clock" and number == 1:
                with wrong(_AHEAD):
                    stack.enter_context(door.opened())
            else:
                stack.enter_context(door.opened())
        for door in stage.doors:
            door.await_ready()
        if liar is not None:
            stack.enter_context(lying(liar, server))
        yield stage


@contextmanager
def _beside(act: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trials", nargs="*", help=f"of {', '.join(TRIALS)}; all unless told")
    parser.add_argument("--doors", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--looking", action="store_true", help="let few doors look for changes, as many do")
    parser.add_argument("--out", type=Path, default=Path("out/bench/hub_trials.json"))
    options = parser.parse_args()
    print(line(about(sys.argv, 0)))
    found = []
    for name in options.trials or TRIALS:
        found.append(run(name, options.doors, options.seconds, looking=options.looking))
        print(found[-1].told(), flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps([one.document() for one in found], indent=1))
    sys.exit(any(not one.good for one in found))


if __name__ == "__main__":
    main()
