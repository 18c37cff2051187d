"""Doors for the bench of the hub: many in one process, each with the store that a real door uses and one connection.

A door waits to be woken, reads on from its cursor, and wipes whom it is ordered to. Now and then one of them has a
visit, enrols a resident, or removes one: each is noted with its time, by the clock that all processes share.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event

from benchmarks.hub_estate import Seat
from facesecure.domain.errors import HubError
from facesecure.hub.database import HubDatabase
from facesecure.hub.rows import NewSighting, Person, PersonKey
from facesecure.hub.store import HubStore

SIGNED = b"s" * 64
REPORTED = 60.0
"""Seconds between two signs of life."""
Noted = tuple[str, str, str, float]
"""What happened, to whom, at which door, and when."""


@dataclass(frozen=True)
class Load:
    """What happens at the doors of one process: actions a second."""

    visits: float
    enrolments: float
    removals: float
    document: int


@dataclass
class SimulatedDoor:
    """One door."""

    seat: Seat
    noted: list[Noted]
    mine: list[str] = field(default_factory=list)
    cursor: int = 0
    errors: int = 0

    def __post_init__(self) -> None:
        self.store = HubStore(HubDatabase(self.seat.address), self.seat.door, self.seat.household)

    def run(self, stopped: Event, ready: Callable[[], None]) -> None:
        """Follow the hub until ``stopped``."""
        self._connect(stopped)
        ready()
        reported = time.monotonic() - random.random() * REPORTED
        while not stopped.is_set():
            try:
                if self.store.database.wait(2.0):
                    self._catch_up()
                if time.monotonic() - reported > REPORTED:
                    reported = time.monotonic()
                    self.store.doors.report(b"x" * 400)
            except HubError:
                self.errors += 1
                stopped.wait(1.0)
        self.store.database.close()

    def visit(self) -> None:
        """Decide about a stranger, and claim the notification."""
        sighting = NewSighting(secrets.token_hex(16), secrets.token_bytes(1200), SIGNED)
        began = time.monotonic()
        with self.store.notices.turn() as turn:
            turn.add(sighting)
            if not any(turn.is_told(other) for other in turn.recent):
                turn.claim(sighting.identifier)
        self.noted.append(("turn", sighting.identifier, self.seat.door, time.monotonic() - began))

    def enrol(self, document: int) -> None:
        """Add a resident whom the household's doors may know."""
        name = secrets.token_hex(16)
        person = Person(name, self.seat.household, self.seat.door, 1, secrets.token_bytes(document), SIGNED)
        keys = [PersonKey(name, door, b"w" * 120, self.seat.door, SIGNED) for door in self.seat.neighbours]
        self.noted.append(("enrolled", name, self.seat.door, time.monotonic()))
        self.store.people.put(person, keys, 0)
        self.mine.append(name)

    def remove(self) -> None:
        """Remove somebody whom this door has enrolled."""
        name = self.mine.pop(0)
        self.noted.append(("removed", name, self.seat.door, time.monotonic()))
        self.store.people.remove(name, 2, SIGNED)

    def _connect(self, stopped: Event) -> None:
        while not stopped.is_set():
            try:
                self.cursor = self.store.doors.head()
                while self.store.database.wait(0.0):
                    pass
            except HubError:
                stopped.wait(0.5 + random.random())
            else:
                return

    def _catch_up(self) -> None:
        while found := self.store.people.after(self.cursor):
            for shared in found:
                self.noted.append(("known", shared.person.identifier, self.seat.door, time.monotonic()))
            self.cursor = found[-1].revision
        for order in self.store.removals.mine():
            self.noted.append(("wiped", order.person, self.seat.door, time.monotonic()))
            self.store.removals.confirm(order.person)


def simulate(
    seats: Sequence[Seat], load: Load, began: Event, stopped: Event, ready: Callable[[int], None]
) -> tuple[list[Noted], int]:
    """Run doors in this process until ``stopped``, with ``load`` once ``began``; return what happened, and errors."""
    noted: list[Noted] = []
    doors = [SimulatedDoor(seat, noted) for seat in seats]
    threads = [threading.Thread(target=door.run, args=(stopped, lambda: ready(1)), daemon=True) for door in doors]
    for thread in threads:
        thread.start()
        time.sleep(0.01)  # signing in costs the server most
    began.wait()
    errors = _act(doors, load, stopped)
    for thread in threads:
        thread.join(30)
    return noted, errors + sum(door.errors for door in doors)


def _act(doors: Sequence[SimulatedDoor], load: Load, stopped: Event) -> int:
    """Let things happen at random doors, at the rates of ``load``; return how many failed."""
    failed: list[BaseException] = []
    actions: list[tuple[float, Callable[[SimulatedDoor], None]]] = [
        (load.visits, SimulatedDoor.visit),
        (load.enrolments, lambda door: door.enrol(load.document)),
        (load.removals, SimulatedDoor.remove),
    ]

    def act(action: Callable[[SimulatedDoor], None]) -> None:
        try:
            action(random.choice([door for door in doors if door.mine] if action is SimulatedDoor.remove else doors))
        except IndexError:
            return  # nobody to remove yet
        except HubError as error:
            failed.append(error)

    total = sum(rate for rate, _ in actions)
    due = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        while not stopped.is_set():
            due += random.expovariate(total)
            stopped.wait(max(0.0, due - time.monotonic()))
            (action,) = random.choices([action for _, action in actions], [rate for rate, _ in actions])
            pool.submit(act, action)
    return len(failed)
