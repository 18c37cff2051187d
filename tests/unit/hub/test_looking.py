"""Above some 60 doors nobody is notified: each door looks at its number. The hub says which of the two holds."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from facesecure.hub.database import HubDatabase
from facesecure.hub.link import Link
from facesecure.hub.rows import NewDoor, RecordKind
from facesecure.hub.store import HubStore
from support.hub import Hub, a_door, a_record, a_sighting, door_of, new_id, postgres_hub
from support.postgres.server import ADMINISTRATOR, Server, needs_postgres

pytest_plugins = ["support.postgres.fixtures"]
pytestmark = pytest.mark.slow
MANY = 61


@dataclass
class Large:
    """A hub, two doors of one household, one of another, and as many that are only rows as make it large."""

    hub: Hub
    front: HubStore
    back: HubStore
    other: HubStore

    def administer(self, statement: str) -> list[tuple[object, ...]]:
        assert self.hub.server is not None
        return self.hub.server.administer(f"SET search_path = facesecure; {statement}", self.hub.database)

    def grow(self) -> None:
        self.administer(
            "INSERT INTO doors (identifier, name, household, role, box_key, sign_key, rights, certificate, joined_at)"
            " SELECT md5(n::text), 'row', md5('rows'), 'facesecure_door_' || md5(n::text), key, key, 'view', 'x', now()"
            f" FROM generate_series(1, {MANY}) n, decode(repeat('00', 32), 'hex') key"
        )

    def shrink(self) -> None:
        self.administer("DELETE FROM wakings WHERE door IN (SELECT identifier FROM doors WHERE name = 'row')")

    def backup(self, path: Path) -> None:
        self._run("pg_dump", "--format=custom", f"--file={path}")

    def put_back(self, path: Path) -> None:
        self._run("pg_restore", "--clean", "--if-exists", "--exit-on-error", str(path))

    def _run(self, program: str, *words: str) -> None:
        server = self.hub.server
        assert server is not None
        where = ("--host=127.0.0.1", f"--port={server.port}", f"--username={ADMINISTRATOR}")
        subprocess.run(
            [needs_postgres() / program, *where, f"--dbname={self.hub.database}", *words],
            check=True,
            env={**os.environ, "PGPASSWORD": server.password},
        )

    def pause(self) -> object:
        with self.hub.server.connect(database=self.hub.database) as connection:  # type: ignore[union-attr]
            found = connection.execute("SELECT look_every FROM facesecure.estate").fetchone()
        assert found is not None
        return found[0]


@pytest.fixture
def large(postgres: Server) -> Iterator[Large]:
    with postgres_hub(postgres) as hub:
        household = new_id()
        yield Large(hub, hub.join(household, "front"), hub.join(household, "back"), hub.join(new_id(), "other"))


def settled(database: HubDatabase) -> None:
    """Let it notice what came before."""
    while database.wait(0.0):
        pass


def test_a_door_of_a_large_estate_looks_and_learns_what_concerns_it_and_nothing_else(large: Large) -> None:
    settled(large.back.database)
    assert not large.back.database.is_looking
    large.grow()
    assert large.pause() == 1000
    assert large.back.database.wait(60)  # it was told once more
    settled(large.back.database)
    assert large.back.database.is_looking
    large.other.sightings.add([a_sighting()])
    large.back.sightings.add([a_sighting()])
    assert not large.back.database.wait(2.5)
    large.front.records.put(a_record(large.front, part=new_id()), 0)
    assert large.back.database.wait(60)
    large.front.crops.request(large.back.sightings.after(0)[0].identifier)
    assert large.back.database.wait(60)
    large.shrink()
    assert large.pause() == 0
    assert large.back.database.wait(60)
    assert not large.back.database.is_looking
    settled(large.back.database)
    large.front.sightings.add([a_sighting()])
    assert large.back.database.wait(60)


def test_the_manager_of_a_large_estate_learns_soon_who_wants_to_join(large: Large) -> None:
    large.grow()
    settled(large.hub.manager.database)
    woken: list[bool] = []
    thread = threading.Thread(target=lambda: woken.append(large.hub.manager.database.wait(60)))
    thread.start()
    manager = large.hub.store_of(door_of(large.hub.manager), large.hub.manager.people._member.household)
    large.hub.manager = manager
    large.hub.join(new_id(), a_door(new_id()).name)
    thread.join(60)
    assert woken == [True]


def test_a_link_of_a_large_estate_does_its_duties_when_something_has_changed_or_it_is_woken(large: Large) -> None:
    large.grow()
    done = threading.Semaphore(0)
    with Link(large.back, [lambda _: done.release()]) as link:
        for _ in range(2):  # after connecting, and as a new connection may have missed something
            assert done.acquire(timeout=60)
        assert not done.acquire(timeout=6)
        large.front.sightings.add([a_sighting()])
        assert done.acquire(timeout=60)
        link.wake()
        assert done.acquire(timeout=60)


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("grown", [False, True])
def test_a_backup_that_is_put_back_under_the_doors_connections_is_noticed(
    large: Large, many: bool, grown: bool, tmp_path: Path
) -> None:
    if many:
        large.grow()
    back = large.back.database
    settled(back)
    large.backup(tmp_path / "hub.dump")
    for _ in range(3):
        large.front.sightings.add([a_sighting()])
    settled(back)
    assert back.is_followed
    large.put_back(tmp_path / "hub.dump")
    for _ in range(5 * grown):
        large.front.sightings.add([a_sighting()])
    assert back.wait(60)
    assert not back.is_followed, "nothing is compared as on a new connection"
    assert back.news.take() is None
    settled(back)
    assert back.is_followed


@pytest.mark.parametrize("many", [False, True])
def test_a_door_asks_again_only_what_has_changed_for_it(
    large: Large, many: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if many:
        large.grow()
    back, asked = large.back, list[str]()
    settled(back.database)
    begin = back.database.begin

    def counted(*args: Any, **more: Any) -> Any:
        asked.append("once")
        return begin(*args, **more)

    monkeypatch.setattr(back.database, "begin", counted)

    def look() -> tuple[int, int]:
        """Return how many records are new, and how often the hub was asked for all that a round asks."""
        asked.clear()
        back.database.wait(0.0)
        back.doors.is_behind(10**6)
        back.people.after(0), back.removals.mine(), back.household_keys.mine(), back.doors.after(10**6)
        back.sightings.after(0), back.records.get(RecordKind.MODE, "one")
        return len(back.records.after(0)), len(asked)

    assert back.database.is_followed
    assert look() == (0, 7)
    assert look() == (0, 0)
    large.other.records.put(a_record(large.other, part=new_id()), 0)
    assert look() == (0, 0)
    large.front.records.put(a_record(large.front, part=new_id()), 0)
    assert look() == (1, 2)
    back.records.put(a_record(back, part=new_id()), 0)
    assert look()[0] == 2
    large.hub.store_of(door_of(back), back.people._member.household).records.put(a_record(back, part=new_id()), 0)
    assert look()[0] == 3


def test_a_door_that_joined_after_the_backup_is_notified_again_once_the_manager_has_added_it(
    large: Large, tmp_path: Path
) -> None:
    large.backup(tmp_path / "hub.dump")
    late = large.hub.join(large.front.people._member.household, "late")
    settled(late.database)
    row = late.doors.own()
    assert row is not None
    large.put_back(tmp_path / "hub.dump")
    settled(late.database)
    large.hub.manager.doors.put_missing(
        NewDoor(row.identifier, row.name, row.household, row.rights, row.box_key, row.sign_key, row.certificate)
    )
    settled(late.database)
    large.front.sightings.add([a_sighting()])
    assert late.database.wait(60)
