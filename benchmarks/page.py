"""How long the page's timeline takes: from the browser's request to the last byte of the HTML, with many visits.

    python -m benchmarks.page [--visits 10000] [--few 100] [--times 30] [--json FILE]

A real daemon (its camera is not there, so that nothing else is measured) and a real web process answer over TCP, both
warm. One store holds that many sightings of 5 known people, 60 visitors and what moved without a face, half of them
with alerts on two channels, all with a snapshot; another holds few. Both are asked in turns, and the median of the
pairs' ratios says what the number of visits costs, whatever else the machine does.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import numpy as np
from sqlalchemy.orm import Session

from facesecure.app.web_api.places import own_place
from facesecure.domain import Alert, Box, Sighting, Subject, Verdict, VerdictKind
from facesecure.domain.deliveries import DeliveryState, DeliveryStatus, PlannedDelivery
from facesecure.services.accounts import set_up
from facesecure.services.sign_in import Browser, SignIn
from facesecure.storage import seals, sightings
from facesecure.storage.encryption import cipher_of
from facesecure.storage.outbox_writes import AddAlert, MarkDelivery
from facesecure.storage.store import Store
from facesecure.storage.tables import VisitorRow
from facesecure.vision.images.codec import jpeg_bytes

CONFIG = """
[camera]
source = "rtsp://127.0.0.1:9/nothing"

[store]
keep_days = 0
max_snapshot_mb = 100000

[plugins.speaker]
enabled = false
"""
PAGE = 30
PEOPLE = ("Anna", "Tom", "Grace", "Eileen", "Marie")
VISITORS = 60
CAMERAS = ("front door", "gate", "garage")
BETWEEN = timedelta(minutes=20)
PASSWORD = "a long way to the garden gate"
_SNAPSHOT = (360, 360)


def fill(state_dir: Path, count: int) -> str:
    """Fill a store with ``count`` visits, and return the token of an owner's session."""
    with Store.open(state_dir) as store:
        chance, now = random.Random(7), datetime.now(UTC)
        pixels = np.random.default_rng(7).integers(60, 200, (*_SNAPSHOT, 3), np.uint8)
        picture = jpeg_bytes(np.repeat(np.repeat(pixels[::8, ::8], 8, 0), 8, 1))
        with store._database.write() as session:
            session.add_all(
                VisitorRow(id=number, first_seen=now - count * BETWEEN, last_seen=now, visits=0)
                for number in range(1, VISITORS + 1)
            )
            session.flush()
            for number in range(count):
                sighting = _sighting(chance, number, now - (count - number) * BETWEEN)
                relative = _write_picture(state_dir, sighting, picture)
                row = sightings.row_of(sighting, relative, len(picture), sighting.first_seen)
                if sighting.verdict.kind is VerdictKind.STRANGER:
                    visitor = session.get_one(VisitorRow, chance.randint(1, VISITORS))
                    visitor.visits += 1
                    row.visitor_id = visitor.id
                    row.visitor_seal = seals.visit_seal(cipher_of(session), row.identifier, visitor.id)
                session.add(row)
                if chance.random() < 0.5:
                    _tell(session, sighting)
        token, _ = SignIn(store, 30.0).accept(set_up(store, "Anna").code, PASSWORD, Browser("127.0.0.1", "benchmark"))
        return token


def _sighting(chance: random.Random, number: int, when: datetime) -> Sighting:
    kind = chance.choice(list(VerdictKind))
    name = chance.choice(PEOPLE) if kind is VerdictKind.KNOWN else None
    verdict = Verdict(kind, "7 usable faces, 0.71 like somebody", name, 0.71, "Tom", 0.2, 9.5, 7)
    subject = chance.choice(list(Subject)) if kind is VerdictKind.UNIDENTIFIED else None
    end, box = when + timedelta(seconds=chance.randint(2, 40)), Box(100, 80, 240, 250)
    return Sighting(f"{number:08x}", verdict, chance.choice(CAMERAS), when, end, 7, None, None, box, subject=subject)


def _write_picture(state_dir: Path, sighting: Sighting, picture: bytes) -> str:
    """Write the snapshot's file without waiting for the disk."""
    relative = f"snapshots/{sighting.first_seen:%Y/%m/%d}/{sighting.identifier}.jpg"
    path = state_dir / relative
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(picture)
    return relative


def _tell(session: Session, sighting: Sighting) -> None:
    alert = Alert.about(sighting, f"{sighting.verdict.kind} at the {sighting.source}", created_at=sighting.first_seen)
    planned = [PlannedDelivery(channel, sighting.last_seen + timedelta(hours=1)) for channel in ("phone", "bell")]
    AddAlert(alert, planned).apply(session, deferred=False)
    for one in planned:
        status = DeliveryStatus(DeliveryState.DELIVERED, 1, one.channel, at=sighting.last_seen)
        MarkDelivery(alert.identifier, one.channel, status).apply(session, deferred=False)


@contextmanager
def running(state_dir: Path, folder: Path, port: int) -> Iterator[None]:
    """Run a daemon and a web process."""
    config = folder / "door.toml"
    config.write_text(CONFIG)
    daemon = ["-m", "facesecure", "--config", config, "--state-dir", state_dir, "run"]
    page = ["-m", "facesecure.web", "--port", port, "--host", "127.0.0.1", "--socket", own_place(state_dir)]
    with (folder / "said.txt").open("w") as said:
        children = [
            subprocess.Popen([sys.executable, *map(str, words)], stdout=said, stderr=said) for words in (daemon, page)
        ]
        try:
            _wait(port)
            yield
        finally:
            for child in reversed(children):
                child.send_signal(signal.SIGTERM)
            for child in children:
                child.wait(30)


def _wait(port: int, seconds: float = 120.0) -> None:
    """Wait until the page answers from the daemon."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/timeline", headers={"Host": f"localhost:{port}"})
            if connection.getresponse().status < 500:
                return
        except OSError:
            pass  # it does not listen yet
        time.sleep(0.2)
    raise TimeoutError("the page does not answer")


class House:
    """A store with so many visits, and the running page before it. Example: ``House(stack, 10_000, 8791)``."""

    def __init__(self, stack: ExitStack, visits: int, port: int) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self._token, self._port = fill(folder / "state", visits), port
        middle = datetime.now(UTC) - visits // 2 * BETWEEN
        self.paths = {
            "the newest": "/timeline",
            "one person": "/timeline?person=Anna",
            "not yet reviewed": "/timeline?to_review=yes",
            "of nobody": "/timeline?person=Nobody",
            "half-way back": f"/timeline?before={middle:%Y-%m-%dT%H:%M:%S}%2B00:00~0",
            "one visit": f"/visit/{visits - 1:08x}",
            "a thumbnail": f"/visit/{visits - 1:08x}/small.jpg",
        }
        stack.enter_context(running(folder / "state", folder, port))
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def milliseconds(self, path: str) -> float:
        """Return how long ``path`` takes, from the request to the last byte."""
        headers = {"Host": f"localhost:{self._port}", "Cookie": f"facesecure={self._token}", "Accept": "text/html"}
        began = time.perf_counter()
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took = 1000 * (time.perf_counter() - began)
        if answer.status != 200 or (path == "/timeline" and body.count(b'<li class="visit') != PAGE):
            raise RuntimeError(f"{path} answered {answer.status}, {len(body)} bytes")
        return took


def measure(few: House, many: House, times: int) -> dict[str, tuple[list[float], list[float]]]:
    """Return the milliseconds of each page with few and with many visits, asked for in turns: both see the same load.

    The first three of each only warm up.
    """
    taken = {}
    for what in many.paths:
        both = [[house.milliseconds(house.paths[what]) for house in (few, many)] for _ in range(times + 3)]
        taken[what] = tuple(map(list, zip(*both[3:], strict=True)))
    return cast("dict[str, tuple[list[float], list[float]]]", taken)


def main() -> None:
    """Measure both sizes, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=10_000)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--port", type=int, default=8791)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    with ExitStack() as stack:
        few_house, many_house = House(stack, chosen.few, chosen.port), House(stack, chosen.visits, chosen.port + 1)
        taken = measure(few_house, many_house, chosen.times)
    print(f"{'page':18} {'median ms':>10} {'slowest ms':>11}  {chosen.visits} against {chosen.few} visits")
    for what, (few, many) in taken.items():
        ratio = statistics.median(after / before for before, after in zip(few, many, strict=True))
        print(f"{what:18} {statistics.median(many):10.1f} {max(many):11.1f}  {ratio:.2f} times")
    if chosen.json:
        chosen.json.write_text(json.dumps(taken, indent=1))


if __name__ == "__main__":
    main()
