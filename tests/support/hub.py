"""Hubs for tests: on a real PostgreSQL with a role a door, or on a SQLite file, with the same doors."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import insert, text

from facesecure.hub.connecting import HubAddress, make_engine
from facesecure.hub.database import HubDatabase
from facesecure.hub.roles import make_hub, migrate
from facesecure.hub.row_values import door_values, role_of
from facesecure.hub.rows import (
    Estate,
    HouseholdKey,
    Invitation,
    JoinRequest,
    NewDoor,
    NewSighting,
    Person,
    PersonKey,
    Record,
    RecordKind,
    Right,
)
from facesecure.hub.store import HubStore
from facesecure.hub.tables import doors, estate
from support.postgres.server import ADMINISTRATOR, Server

ALL = frozenset(Right)
SIGNATURE = b"s" * 64


def new_id() -> str:
    return secrets.token_hex(16)


def a_door(household: str, name: str = "front door", rights: frozenset[Right] = ALL) -> NewDoor:
    return NewDoor(new_id(), name, household, rights, secrets.token_bytes(32), secrets.token_bytes(32), b"certificate")


def a_person(author: HubStore, version: int = 1, document: bytes | None = b"sealed", identifier: str = "") -> Person:
    member = author.people._member
    return Person(identifier or new_id(), member.household, member.door, version, document, SIGNATURE)


def a_key(person: str, door: str, author: HubStore, wrapped: bytes = b"wrapped") -> PersonKey:
    return PersonKey(person, door, wrapped, author.people._member.door, SIGNATURE)


def a_record(author: HubStore, kind: RecordKind = RecordKind.VISITOR, part: str = "one", version: int = 1,
             document: bytes | None = b"sealed") -> Record:  # fmt: skip
    """What a door says; mode and arming are the household's."""
    member = author.people._member
    own = kind not in (RecordKind.MODE, RecordKind.ARMING)
    identifier = f"{member.door}.{part}" if own else member.household
    return Record(kind, identifier, member.household, member.door, version, document, SIGNATURE)


def a_sighting() -> NewSighting:
    return NewSighting(new_id(), b"sealed", SIGNATURE)


@dataclass
class Hub:
    """A hub with a manager. ``join`` adds a door, and returns the store by which it sees the hub."""

    server: Server | None
    database: str
    manager: HubStore
    passwords: dict[str, str] = field(default_factory=dict)
    stores: list[HubStore] = field(default_factory=list)

    def join(self, household: str | None = None, name: str = "gate", rights: frozenset[Right] = ALL) -> HubStore:
        """Let a door join the way it does in earnest: invited, asking, accepted, with a password of its own."""
        door = a_door(household or self.manager.people._member.household, name, rights)
        role, once = role_of(door.identifier), secrets.token_urlsafe(12)
        until = datetime.now(UTC) + timedelta(hours=1)
        invitation = Invitation(door.identifier, role, name, door.household, rights, until)
        self.manager.joining.invite(invitation, once)
        self.passwords[door.identifier] = once
        store = self.store_of(door.identifier, door.household)
        store.joining.ask(JoinRequest(door.identifier, door.box_key, door.sign_key, b"m" * 32))
        key = HouseholdKey(door.household, 1, door.identifier, b"wrapped", self.manager.people._member.door, SIGNATURE)
        self.manager.joining.accept(door, [key])
        self.passwords[door.identifier] = secrets.token_urlsafe(12)
        store.joining.finish(self.passwords[door.identifier])
        store.database.close()
        return self.store_of(door.identifier, door.household)

    def store_of(self, door: str, household: str) -> HubStore:
        """Return another store of a door, with a connection of its own."""
        store = HubStore(HubDatabase(self.address(door)), door, household)
        self.stores.append(store)
        return store

    def address(self, door: str) -> HubAddress:
        """Where the hub is for a door."""
        if self.server is None:
            return HubAddress(self.database)
        url = self.server.url(role_of(door), self.database)
        return HubAddress(url, self.passwords[door], self.server.authority.root)

    def connect(self, door: str) -> psycopg.Connection[Any]:
        """Sign in as a door, over TLS, with its password; a statement may last a minute."""
        assert self.server is not None
        return psycopg.connect(
            host="127.0.0.1", port=self.server.port, dbname=self.database, user=role_of(door), autocommit=True,
            password=self.passwords[door], sslmode="verify-full", sslrootcert=str(self.server.authority.root),
            options="-c search_path=facesecure -c statement_timeout=60000",
        )  # fmt: skip

    def invite(self, name: str = "guest") -> str:
        """Invite a door, and return its number: it may sign in, and has not joined."""
        door = a_door(new_id(), name)
        until = datetime.now(UTC) + timedelta(hours=1)
        role, self.passwords[door.identifier] = role_of(door.identifier), "once"
        invitation = Invitation(door.identifier, role, name, door.household, frozenset(), until)
        self.manager.joining.invite(invitation, "once")
        return door.identifier

    def close(self) -> None:
        for store in (self.manager, *self.stores):
            store.database.close()


def door_of(store: HubStore) -> str:
    return store.people._member.door


@contextmanager
def postgres_hub(server: Server) -> Iterator[Hub]:
    """Yield a hub in a new database of ``server``."""
    name = server.new_database()
    administrator = HubAddress(server.url(ADMINISTRATOR, name), server.password, server.authority.root)
    door, password = a_door(new_id()), secrets.token_urlsafe(12)
    key = HouseholdKey(door.household, 1, door.identifier, b"wrapped", door.identifier, SIGNATURE)
    made = Estate(new_id(), b"a" * 32, door.identifier, datetime.now(UTC))
    make_hub(administrator, made, door, password, [key])
    hub = Hub(server, name, None, {door.identifier: password})  # type: ignore[arg-type]
    hub.manager = hub.store_of(door.identifier, door.household)
    try:
        yield hub
    finally:
        hub.close()


@contextmanager
def sqlite_hub(folder: Path) -> Iterator[Hub]:
    """Yield the same in a SQLite file: one user, no roles, no rules."""
    address = HubAddress(f"sqlite:///{folder}/hub.db")
    door = a_door(new_id())
    engine = make_engine(address)
    with engine.begin() as connection:
        migrate(connection)
        now = datetime.now(UTC)
        connection.execute(
            insert(estate).values(identifier=new_id(), authority=b"a" * 32, manager=door.identifier, created_at=now)
        )
        connection.execute(insert(doors).values(**door_values(door), joined_at=now))
        connection.execute(text("SELECT 1"))
    engine.dispose()
    store = HubStore(HubDatabase(address), door.identifier, door.household)
    hub = Hub(None, address.url, store, {door.identifier: ""})
    try:
        yield hub
    finally:
        hub.close()
