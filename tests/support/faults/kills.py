"""A household whose facesecure is killed again and again: run as a program, it prints what was seen, as JSON.

This process imports everything and forks; the children open the real store and send numbered alerts through the real
dispatcher, until SIGKILL. Their plugins append what they hear to a file, on the disk before they return, as a device
that has spoken. The children are killed between any two instructions: while they start, write, send or mark. With the
word "locks" a further process locks the database all the while, for some milliseconds at a time, as others than
facesecure do, and the children write as the daemon does.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from facesecure.alerts.delivery import delivery
from facesecure.alerts.delivery.dispatcher import Dispatcher
from facesecure.domain import Alert, AlertKind
from facesecure.domain.errors import PluginError
from facesecure.storage.store import Store

CHAINS = {"door": ("door", "spare"), "log": ("log",)}
FAILURES = {"door": 0.2, "spare": 0.2, "log": 0.0}
DRAIN_SECONDS = 600.0


@dataclass
class Seen:
    """What all the lives and deaths came to."""

    kills: int = 0
    accepted: int = 0
    heard: int = 0
    lost: list[str] = field(default_factory=list)
    """Alerts that ``send`` had returned for and that no plugin of a chain ever heard, or that did not end delivered."""
    repeated: int = 0
    """Heard again, because the kill came between the hearing and the mark."""
    repeated_after_mark: list[str] = field(default_factory=list)
    killed_in: dict[str, int] = field(default_factory=dict)
    """How many deliveries were in which state when their process was killed."""
    deferred: int = 0
    """Deaths that left writes which the database could not take."""
    seconds: float = 0.0


class Device:
    """Hears alerts, and is deaf now and then."""

    def __init__(self, path: Path, deaf: float) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._deaf, self._chance = deaf, random.Random(os.getpid())

    def send(self, alert: Alert) -> None:
        if self._chance.random() < self._deaf:
            raise PluginError("did not hear it")
        os.write(self._file, f"{alert.identifier}\n".encode())
        os.fsync(self._file)


def live(folder: Path, life: int, sign: int | None, daemon: bool = False) -> None:
    """Send alerts until killed, with a byte to ``sign`` after each; without it, deliver what is left and return."""
    accepted = os.open(folder / "accepted", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    devices = {name: Device(folder / name, deaf) for name, deaf in FAILURES.items()}
    with (
        Store.open(folder / "state", resident=daemon) as store,
        Dispatcher(devices, outbox=store.outbox, fallback={"door": "spare"}) as d,
    ):
        number = 0
        while sign is not None:
            identifier = f"{life}-{number}"
            d.send(Alert(AlertKind.STRANGER, f"stranger {identifier}", identifier=identifier))
            os.write(accepted, f"{identifier}\n".encode())
            os.write(sign, b".")
            number += 1
        deadline = time.monotonic() + DRAIN_SECONDS
        while store.outbox.pending() and time.monotonic() < deadline:
            time.sleep(0.02)


def kill_one(folder: Path, life: int, chance: random.Random, daemon: bool) -> None:
    """One child's life: it is killed at some moment after some of its alerts, or while it starts."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            live(folder, life, writer, daemon)
        finally:
            os._exit(1)  # not reached: the child is killed
    os.close(writer)
    signs = chance.choice((0, 1, 2, 3, 4))
    while signs and (got := os.read(reader, signs)):
        signs -= len(got)
    time.sleep(chance.uniform(0, chance.choice((0.005, 0.02, 0.02, 0.1))))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(reader)
    if not os.WIFSIGNALED(status):
        raise RuntimeError(f"child {life} ended by itself: {status}")


def drain(folder: Path, life: int, daemon: bool) -> None:
    """A last life, in peace, which delivers what is left."""
    if os.fork() == 0:
        try:
            live(folder, life, None, daemon)
        finally:
            os._exit(0)
    os.wait()


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


class Observer:
    """Looks at the disk after each death."""

    def __init__(self, folder: Path, seen: Seen) -> None:
        self._folder, self._seen = folder, seen
        self._marked: dict[str, set[str]] = {channel: set() for channel in CHAINS}
        self._read: dict[str, int] = dict.fromkeys(FAILURES, 0)

    def look(self) -> dict[str, set[str]]:
        """What was heard since last time must not have been marked by then. Returns what is marked now."""
        for channel, chain in CHAINS.items():
            for name in chain:
                heard = lines(self._folder / name)
                new, self._read[name] = heard[self._read[name] :], len(heard)
                self._seen.repeated_after_mark += [one for one in new if one in self._marked[channel]]
        if (self._folder / "state" / "facesecure.db").exists():
            self._read_states()
        return self._marked

    def _read_states(self) -> None:
        with closing(sqlite3.connect(self._folder / "state" / "facesecure.db")) as connection:
            try:
                rows = connection.execute("SELECT alert, channel, state FROM deliveries").fetchall()
            except sqlite3.OperationalError:  # killed before the first tables were made
                return
        for alert, channel, state in rows:
            if state == "delivered":
                self._marked[channel].add(alert)
            else:
                self._seen.killed_in[state] = self._seen.killed_in.get(state, 0) + 1


@contextmanager
def locking(database: Path, chance: random.Random) -> Iterator[None]:
    """Another process locks ``database`` most of the time, until the block ends."""
    child = os.fork()
    if child == 0:
        while True:
            if database.exists():
                with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
                    connection.execute("BEGIN EXCLUSIVE")
                    time.sleep(chance.uniform(0, 0.3))
                    connection.execute("ROLLBACK")
            time.sleep(chance.uniform(0, 0.1))
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def proves_enough(seen: Seen, kills: int, locks: bool) -> bool:
    """Whether enough deaths came while alerts waited and plugins told them; how many do so depends on the machine."""
    cut_off = min(seen.killed_in.get(state, 0) for state in ("attempting", "pending"))
    return seen.kills >= kills and cut_off > kills and bool(seen.deferred or not locks)


def main(folder: Path, kills: int, seed: int, locks: bool = False) -> Seen:
    """Kill at least ``kills`` times, and on until that ``proves_enough``, but never ten times as often."""
    delivery.RETRIES = replace(delivery.RETRIES, first=0.005, longest=0.02)
    chance, seen, began = random.Random(seed), Seen(), time.monotonic()
    observer = Observer(folder, seen)
    with locking(folder / "state" / "facesecure.db", random.Random(seed)) if locks else nullcontext():
        while not proves_enough(seen, kills, locks) and seen.kills < 10 * kills:
            kill_one(folder, seen.kills, chance, locks)
            seen.kills += 1
            seen.deferred += (folder / "state" / "facesecure.db-deferred").exists()
            observer.look()
    drain(folder, seen.kills, locks)
    marked = observer.look()
    accepted = lines(folder / "accepted")
    for channel, chain in CHAINS.items():
        heard = [one for name in chain for one in lines(folder / name)]
        seen.heard += len(heard)
        seen.lost += [one for one in accepted if one not in set(heard) or one not in marked[channel]]
        seen.repeated += len(heard) - len(set(heard))
    seen.accepted, seen.seconds = len(accepted), round(time.monotonic() - began, 1)
    return seen


if __name__ == "__main__":
    print(json.dumps(asdict(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), "locks" in sys.argv))))
