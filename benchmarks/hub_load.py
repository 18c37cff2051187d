"""What happens at the doors of the bench of the hub: visits, enrolments and removals, at random doors and times."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path

from benchmarks.hub_complaints import Complaints
from benchmarks.hub_doors import BenchDoor, Noted, opened_doors
from benchmarks.hub_estate import Seat
from facesecure.domain.errors import FacesecureError

_SETTLING = 8.0
"""Seconds in which what has just happened reaches the others."""
Action = Callable[[BenchDoor], object]


@dataclass(frozen=True)
class Load:
    """What happens at the doors of one process: actions a second."""

    visits: float
    enrolments: float
    removals: float


@dataclass
class Course:
    """What happened at the doors of one process.

    ``alone`` strangers were not asked about in time; ``cpu`` are the seconds of the process while things happened.
    """

    noted: list[Noted] = field(default_factory=list)
    errors: int = 0
    alone: int = 0
    cpu: float = 0.0
    rounds: int = 0
    said: dict[str, int] = field(default_factory=dict)


def simulate(
    seats: Sequence[Seat], load: Load, folder: Path, began: Event, stopped: Event, ready: Callable[[int], None]
) -> Course:
    """Run doors in this process until ``stopped``, with ``load`` once ``began``.

    ``ready`` is told of each door twice: when it is open, and when it has done all its duties.
    """
    course = Course()
    with Complaints().counting() as complaints, opened_doors(seats, folder, course.noted, ready) as doors:
        for door in doors:
            door.await_ready()
            ready(1)
        began.wait()
        complaints.warnings = complaints.alone = 0
        cpu, rounds = time.process_time(), sum(door.rounds for door in doors)
        failed = act(doors, load, stopped)
        course.cpu, course.rounds = time.process_time() - cpu, sum(door.rounds for door in doors) - rounds
        time.sleep(_SETTLING)
    course.errors, course.alone, course.said = failed + complaints.warnings, complaints.alone, complaints.said
    return course


def act(doors: Sequence[BenchDoor], load: Load, stopped: Event | threading.Event) -> int:
    """Let things happen at random doors, at the rates of ``load``, until ``stopped``; return how many failed."""
    actions: list[tuple[float, Action]] = [
        (load.visits, BenchDoor.visit),
        (load.enrolments, BenchDoor.enrol),
        (load.removals, BenchDoor.remove),
    ]
    failed: list[FacesecureError] = []
    total, due = sum(rate for rate, _ in actions), time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        while not stopped.is_set():
            due += random.expovariate(total)
            if stopped.wait(max(0.0, due - time.monotonic())):
                break
            (action,) = random.choices([action for _, action in actions], [rate for rate, _ in actions])
            pool.submit(_act, action, doors, failed)
    return len(failed)


def _act(action: Action, doors: Sequence[BenchDoor], failed: list[FacesecureError]) -> None:
    try:
        action(random.choice([door for door in doors if door.mine] if action is BenchDoor.remove else doors))
    except IndexError:
        return  # nobody to remove yet
    except FacesecureError as error:
        failed.append(error)
