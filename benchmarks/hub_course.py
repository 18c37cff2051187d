"""What happens at the doors during a trial of the hub, and what must be so in the end."""

from __future__ import annotations

import random
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.hub_doors import BenchDoor, drawn
from facesecure.domain.errors import FacesecureError
from facesecure.domain.mode import Mode
from support.postgres.server import Server

_PAUSE = 0.4
"""Seconds between two actions, at a speed of 1."""
_CONFIRMED_WITHIN = 4.0


@dataclass
class Course:
    """Lets things happen at ``doors`` one after another, and remembers them.

    ``speed`` 60: what an hour brings happens in a minute; nothing waits for a confirmation then. ``known`` and ``gone``
    are names by household, ``visits`` identifiers; ``twice`` tells of strangers who were notified about again.
    """

    server: Server
    doors: list[BenchDoor]
    speed: float = 1.0
    known: dict[str, set[str]] = field(default_factory=dict)
    gone: dict[str, set[str]] = field(default_factory=dict)
    visits: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """Enrol somebody at each door."""
        for door in self.doors:
            self._enrol(door)

    def play(self, seconds: float) -> None:
        """Let things happen for ``seconds``."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            action = random.choice((self._enrol, self._enrol, self._remove, self._arm, self._pair, self._visit))
            try:
                action(random.choice(self.doors))
            except FacesecureError as error:  # of the door itself: the hub's are its own to bear
                self.done[f"failed: {error.message}"] += 1
            time.sleep(random.random() * 2 * _PAUSE / (10 if self.speed > 1 else 1))

    def counts(self) -> dict[str, int]:
        """Return how often each thing happened."""
        return dict(self.done)

    def _enrol(self, door: BenchDoor) -> None:
        name = door.enrol()
        self.known.setdefault(door.seat.household, set()).add(name)
        self.done["enrolled"] += 1

    def _remove(self, door: BenchDoor) -> None:
        if len(door.mine) > 2:
            name = door.remove()
            self.known[door.seat.household].discard(name)
            self.gone.setdefault(door.seat.household, set()).add(name)
            self.done["removed"] += 1

    def _arm(self, door: BenchDoor) -> None:
        door.set_mode(random.choice(list(Mode)))
        self.done["mode set"] += 1

    def _visit(self, door: BenchDoor) -> None:
        self.visits.append(door.visit())
        self.done["visits"] += 1

    def _pair(self, door: BenchDoor) -> None:
        """Have one stranger at two doors of the household, at the second once the alert of the first is confirmed."""
        others = [one for one in self.doors if one.seat.household == door.seat.household and one is not door]
        if not others:
            return
        face, other, second = drawn(), random.choice(others), secrets.token_hex(16)
        first = door.visit(face)
        confirmed = self._await_confirmed(first)
        claim = other.ask(second, face)
        at_hub = self._state("SELECT count(*) FROM facesecure.sightings WHERE identifier = %s", second)
        other.keep(second)
        self.visits += [first, second]
        self.done["pairs"] += 1
        self.done["told of once"] += not claim.is_ours
        if confirmed and claim.is_ours and at_hub:
            self.twice.append(f"{door.seat.door} has told of {first}, and {other.seat.door} was let tell of it again")

    def _await_confirmed(self, sighting: str) -> bool:
        """Return whether the hub has the confirmation, soon."""
        until = time.monotonic() + (_CONFIRMED_WITHIN if self.speed == 1 else 0.0)
        while True:
            query = "SELECT count(*) FROM facesecure.notices WHERE sighting = %s AND state = 'confirmed'"
            if self._state(query, sighting):
                return True
            if time.monotonic() >= until:
                return False
            time.sleep(0.1)

    def _state(self, query: str, value: str) -> int:
        """Ask the server itself, past the doors; 0 while it cannot be asked."""
        import psycopg

        database = self.doors[0].seat.url.rpartition("/")[2]
        try:
            with self.server.connect(database=database) as connection:
                row = connection.execute(query.encode(), (value,)).fetchone()
                return int(row[0]) if row else 0
        except psycopg.Error:
            return 0
