"""Doors for the benches of the hub: many in one process, each with what a daemon uses, and no camera.

A door has its own state directory and database, keys and certificate, and the front's own code: the thread that keeps
the connection (``hub.link``) with all duties of ``hub.sync.sharing``, and the one that notices changes of people. What
stands in is the network: a face of another door is taken as it is, and its embedding made of its bytes, because a
hundred thousand different real faces are not to be had, and one network serves all doors of this process.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from benchmarks.hub_estate import Seat
from facesecure.alerts.policy.arming import Arming
from facesecure.app.assembly import Daemon
from facesecure.app.changes import ChangeFeed, Topic
from facesecure.config import FacesecureConfig
from facesecure.config.hub import HubConfig
from facesecure.domain import Quality, Sighting, Verdict, VerdictKind
from facesecure.domain.mode import Mode
from facesecure.domain.notices import Claim, SeenStranger
from facesecure.domain.records import EnrolledFace
from facesecure.domain.types import Embedding
from facesecure.hub.access import store_of
from facesecure.hub.front import duties_of
from facesecure.hub.identity_file import write_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.link import Link
from facesecure.hub.store import HubStore
from facesecure.hub.store.last_read import LastRead
from facesecure.hub.sync import local_people, shared_people
from facesecure.hub.sync.people_state import PeopleState
from facesecure.hub.sync.sharing import Sharing
from facesecure.recognition.visitor_matching import VisitEmbedding
from facesecure.services import people
from facesecure.services.people_import import Added
from facesecure.storage.archive import ArchivedPerson
from facesecure.storage.store import Store
from support.builders import SCORES

MODEL, SIZE = "b" * 64, 192
_GOOD = Quality(40, 0.5, 120, 50, 0, 0, 0, 0.99, 0.9)
_STRANGER = Verdict(VerdictKind.STRANGER, "drawn", faces_used=3)
_SAME = 0.5
Noted = tuple[str, str, str, float]
"""What happened, to whom, at which door, and when: by the clock that all processes share."""


class Controls:
    """What the hub's front uses of a daemon's commands; an attribute that is not here is a list to leave things in."""

    def __init__(self, store: Store, arming: Arming) -> None:
        """Set and tell the mode by ``arming``."""
        self.store, self.arming = store, arming
        self.complaint, self.cameras = "", ()

    def __getattr__(self, name: str) -> list[Any]:
        """Make a list that the front adds to, as for what it answers the page."""
        if name.startswith("_"):
            raise AttributeError(name)
        made = list[Any]()
        setattr(self, name, made)
        return made

    def front_troubles(self) -> dict[str, str]:
        """Return none."""
        return {}

    def set_mode(self, mode: Mode, *, at_once: bool = False) -> dict[str, Any]:
        """Set the mode."""
        self.arming.arm(mode, at_once=at_once)
        return {"warning": None}


@dataclass
class Board:
    """Where the front leaves the one to be asked about strangers."""

    asked: Any = None

    def ask(self, board: Any) -> None:
        """Ask ``board`` from now on."""
        self.asked = board


class BenchDoor:
    """One door. It is at the hub during ``opened``; what happens there is noted.

    Example::

        door = BenchDoor(seat, folder, noted)
        with door.opened():
            door.enrol("Anna")
    """

    def __init__(self, seat: Seat, folder: Path, noted: list[Noted]) -> None:
        """Make its state directory in ``folder``."""
        self.seat, self.noted, self.state_dir = seat, noted, folder / seat.door
        self.store = Store.open(self.state_dir)
        write_identity(self.state_dir, seat.identity())
        state = PeopleState(self.state_dir)
        state.cursor, state.last = seat.head, LastRead(floor=seat.head)
        state.save()
        self.changes, self.arming, self.board = ChangeFeed(), Arming(self.state_dir), Board()
        self.config = FacesecureConfig()
        self.controls = Controls(self.store, self.arming)
        self.mine: list[str] = []
        self.rounds = 0
        self._known = set[str]()
        self._ready = threading.Event()
        self.hub: HubStore = store_of(seat.identity(), HubConfig(), self.state_dir)
        known = KnownDoors(self.state_dir)
        self._sharing = Sharing(self._daemon(), self.hub, known)
        self.link = Link(
            self.hub, [*duties_of(seat.identity(), self.state_dir, known), *self._sharing.duties, self._done]
        )
        self.changes.follow(self._changed)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Be at the hub during the block."""
        try:
            with self.link, self._sharing.begun():
                yield
        finally:
            self.store.close()

    def await_ready(self, seconds: float = 300) -> bool:
        """Wait until all duties were done once."""
        return self._ready.wait(seconds)

    def visit(self, embedding: Embedding | None = None) -> str:
        """Have a stranger here: ask who notifies, and keep the visit. Return its identifier."""
        identifier = secrets.token_hex(16)
        claim = self.ask(identifier, embedding)
        self.keep(identifier)
        if claim.is_ours:
            self.board.asked.confirm(identifier)
        return identifier

    def ask(self, identifier: str, embedding: Embedding | None = None) -> Claim:
        """Ask who notifies about a stranger."""
        seen = SeenStranger(identifier, "front", drawn() if embedding is None else embedding, 0.9, MODEL)
        began = time.monotonic()
        claim: Claim = self.board.asked.claim(seen)
        self.noted.append(("turn", identifier, self.seat.door, time.monotonic() - began))
        return claim

    def keep(self, identifier: str) -> None:
        """Store a stranger's visit of now."""
        at = datetime.now(UTC)
        self.store.record(Sighting(identifier, _STRANGER, "front", at, at, 1))
        self.changes.bump(Topic.VISITS)

    def enrol(self, name: str = "") -> str:
        """Enrol a resident. Return the name."""
        name = name or f"Resident {secrets.token_hex(8)}"
        self.noted.append(("enrolled", name, self.seat.door, time.monotonic()))
        self.store.add_person(name, [_face()])
        self.mine.append(name)
        self.changes.bump(Topic.PEOPLE)
        return name

    def remove(self, name: str = "") -> str:
        """Remove somebody whom this door has enrolled, the first one unless told. Raises IndexError without one."""
        name = name or self.mine[0]
        self.mine.remove(name)
        self.noted.append(("removed", name, self.seat.door, time.monotonic()))
        people.forget_person(self.store, self.config, self.state_dir, name)
        self.changes.bump(Topic.PEOPLE)
        return name

    def set_mode(self, mode: Mode) -> None:
        """Arm or disarm here."""
        self.controls.set_mode(mode, at_once=True)
        self.changes.bump(Topic.MODE)

    def names(self) -> set[str]:
        """Return the names of the people who are known here."""
        return {person.name for person in self.store.people()}

    def _daemon(self) -> Daemon:
        embedder = SimpleNamespace(sha256=MODEL, size=SIZE)
        context = SimpleNamespace(
            state_dir=self.state_dir, store=self.store, config=self.config, match_visitor=_match, changes=self.changes,
            models=SimpleNamespace(embedder=embedder, scores=SCORES, classifier=None),
        )  # fmt: skip
        return cast(Daemon, SimpleNamespace(context=context, commands=self.controls, once=self.board))

    def _done(self, _: HubStore) -> None:
        self.rounds += 1
        self._ready.set()

    def _changed(self, topics: Sequence[Topic]) -> None:
        """Note who is known here that was not, and who is no longer."""
        if Topic.PEOPLE in topics:
            now, at = self.names(), time.monotonic()
            for what, names in (("known", now - self._known), ("wiped", self._known - now)):
                self.noted += [(what, name, self.seat.door, at) for name in names]
            self._known = now


@contextmanager
def opened_doors(
    seats: Sequence[Seat], folder: Path, noted: list[Noted], on_open: Callable[[int], object] = lambda _: None
) -> Iterator[list[BenchDoor]]:
    """Yield the doors of ``seats``, all at the hub; ``on_open`` is called with 1 for each."""
    stand_in()
    with ExitStack() as stack:
        doors = []
        for seat in seats:
            doors.append(BenchDoor(seat, folder, noted))
            stack.enter_context(doors[-1].opened())
            on_open(1)
        yield doors


def stand_in() -> None:
    """Put something that takes every face as it is in the place of the networks."""
    cast(Any, local_people).judge = _judge
    cast(Any, shared_people).ModelStack = SimpleNamespace(load=lambda *_: None)


def drawn(seed: int | None = None) -> Embedding:
    """Return an embedding of somebody."""
    found = np.random.default_rng(seed).normal(size=SIZE).astype(np.float32)
    return cast(Embedding, found / np.linalg.norm(found))


def _face() -> EnrolledFace:
    """Return a face of noise, of some 5 kB as PNG, as a real one has."""
    image = np.repeat(np.random.default_rng().integers(0, 256, (14, 112, 3), np.uint8), 8, 0)
    return EnrolledFace(image, _embedding_of(image), MODEL, _GOOD, "bench")


def _embedding_of(image: Any) -> Embedding:
    return drawn(int.from_bytes(image.tobytes()[:8]))


def _judge(_: Any, store: Store, person: ArchivedPerson) -> tuple[Added, list[EnrolledFace]]:
    """Do what ``people_import.judge`` does, without a network."""
    enrolled = person.name in {one.name for one in store.people()}
    stored = {face.image.tobytes() for face in store.faces_of(person.name)} if enrolled else set()
    faces = [
        EnrolledFace(face.image, _embedding_of(face.image), MODEL, face.quality, source)
        for face, source in zip(person.faces, person.sources, strict=True)
        if face.image.tobytes() not in stored
    ]
    return Added(person.name, len(faces), len(person.faces) - len(faces)), faces


def _match(visit: VisitEmbedding, visitors: Mapping[int, Sequence[VisitEmbedding]]) -> int | None:
    alike = (number for number, seen in visitors.items() if any(_alike(visit, one) for one in seen))
    return next(alike, None)


def _alike(one: VisitEmbedding, other: VisitEmbedding) -> bool:
    return float(np.dot(one.mean, other.mean)) > _SAME
