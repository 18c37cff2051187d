"""Doors that share people: real keys, certificates and stores, on a hub in a SQLite file, without daemons."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from sqlalchemy import insert

from facesecure.camera.synthetic.clip import enrolment_images
from facesecure.camera.synthetic.portraits import EILEEN_COLLINS
from facesecure.config import FacesecureConfig
from facesecure.domain.records import EnrolledFace
from facesecure.hub.certify import certified
from facesecure.hub.connecting import HubAddress, make_engine
from facesecure.hub.database import HubDatabase
from facesecure.hub.documents import Documents
from facesecure.hub.identity import Authority, Certificate, DoorKeys, Identity, estate_of
from facesecure.hub.identity_file import write_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.roles import migrate
from facesecure.hub.row_values import door_values
from facesecure.hub.rows import Right
from facesecure.hub.store import HubStore
from facesecure.hub.sync.local_people import LocalPeople
from facesecure.hub.sync.people import PeopleSync
from facesecure.hub.sync.people_state import PeopleState
from facesecure.hub.tables import doors, estate
from facesecure.services import people
from facesecure.services.model_stack import ModelStack
from facesecure.storage.store import Store
from support.bundled_model import faces_of, models


@cache
def grace() -> tuple[EnrolledFace, ...]:
    """Faces of one person."""
    return tuple(faces_of(*enrolment_images(6))[:4])


@cache
def eileen() -> tuple[EnrolledFace, ...]:
    """A face of another."""
    return tuple(faces_of(EILEEN_COLLINS.image()))


@dataclass
class SharingDoor:
    """A door with its store and its view of the hub. ``sync`` is what its daemon does when the link is awake."""

    state_dir: Path
    identity: Identity
    store: Store
    hub: HubStore
    known: KnownDoors = field(init=False)
    people: PeopleSync = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    @property
    def door(self) -> str:
        return self.identity.door

    @property
    def local(self) -> LocalPeople:
        return self.people._local

    @property
    def state(self) -> PeopleState:
        return PeopleState.read(self.state_dir)

    @property
    def documents(self) -> Documents:
        return Documents(self.identity, self.known.trusted, ())

    def restart(self, steady: Callable[[], float] = time.monotonic) -> None:
        """Forget what was only in memory, as a kill does."""
        self.known = KnownDoors(self.state_dir)
        local = LocalPeople(self.store, FacesecureConfig(), self.state_dir, lent)
        self.people = PeopleSync(self.state_dir, self.known, local, steady=steady)

    def sync(self) -> None:
        self.known.learn(self.hub)
        self.people.share(self.hub)

    def names(self) -> dict[str, int]:
        return {person.name: person.faces for person in self.store.people()}

    def rename(self, name: str, new: str) -> None:
        people.rename_person(self.store, FacesecureConfig(), self.state_dir, name, new)

    def forget(self, name: str) -> None:
        people.forget_person(self.store, FacesecureConfig(), self.state_dir, name)

    def uid(self, name: str) -> str:
        return next(person.uid for person in self.store.people() if person.name == name)

    def shared(self, name: str) -> str:
        """The identifier at the hub of a person enrolled here."""
        found = self.state.of_uid(self.uid(name))
        assert found is not None
        return found[0]


@contextmanager
def lent() -> Iterator[ModelStack]:
    yield models()


@dataclass
class SharingEstate:
    """A hub in a SQLite file. ``add`` makes a door of it; the first is the manager."""

    folder: Path
    authority: Authority = field(default_factory=Authority.made)
    opened: list[SharingDoor] = field(default_factory=list)

    @property
    def address(self) -> HubAddress:
        return HubAddress(f"sqlite:///{self.folder}/hub.db")

    def add(self, name: str, household: str = "home", rights: frozenset[Right] = frozenset(Right)) -> SharingDoor:
        keys, identifier = DoorKeys.made(), secrets.token_hex(16)
        certificate = Certificate(
            estate_of(self.authority.public), identifier, name, self.authority.household(household), rights,
            keys.box_key, keys.sign_key,
        )  # fmt: skip
        row = certified(self.authority, certificate)
        engine = make_engine(self.address)
        with engine.begin() as connection:
            if not self.opened:
                migrate(connection)
                connection.execute(
                    insert(estate).values(
                        identifier=certificate.estate,
                        authority=self.authority.public,
                        manager=identifier,
                        created_at=datetime.now(UTC),
                    )
                )
            connection.execute(insert(doors).values(**door_values(row), joined_at=datetime.now(UTC)))
        engine.dispose()
        state_dir = self.folder / name
        identity = Identity(identifier, self.address.url, "role", "", keys, self.authority.public, row.certificate)
        write_identity(state_dir, identity)
        hub = HubStore(HubDatabase(self.address), identifier, certificate.household)
        self.opened.append(SharingDoor(state_dir, identity, Store.open(state_dir), hub))
        return self.opened[-1]

    def shut_out(self, door: SharingDoor) -> None:
        """Remove ``door`` from the estate as the manager does."""
        gone = certified(self.authority, replace(door.identity.own(), rights=frozenset(), removed=True, serial=2))
        manager = self.opened[0].hub
        manager.doors.replace(gone)
        manager.doors.remove(door.door)

    def close(self) -> None:
        for one in self.opened:
            one.store.close()
            one.hub.database.close()


def settle(*doors_: SharingDoor) -> None:
    """Let every door have its turns, until nothing is left to do."""
    for _ in range(3):
        for one in doors_:
            one.sync()
