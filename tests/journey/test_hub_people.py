"""Two daemons of one household share people through a real hub: enrolled, renamed, removed, cut off, killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

from facesecure.config import FacesecureConfig
from facesecure.hub.access import store_of
from facesecure.hub.identity_file import member_identity
from facesecure.hub.overview import overview
from facesecure.hub.sync.assigning import assign
from facesecure.services import people
from facesecure.storage.store import Store
from support.hub_estate import CONFIG, RealHub
from support.hub_people import SharingDoor, eileen, grace, settle
from support.postgres.server import made_server
from support.service.commandline import SETTINGS

pytestmark = pytest.mark.slow


@dataclass
class Door:
    """A door with a daemon of its own, whose camera cannot be reached."""

    state_dir: Path
    config: Path
    process: subprocess.Popen[bytes] | None = None
    log: IO[bytes] | None = field(default=None, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        own = {"FACESECURE_CONFIG": str(self.config), "FACESECURE_STATE_DIR": str(self.state_dir)}
        return {name: value for name, value in os.environ.items() if name not in SETTINGS} | own

    def start(self) -> None:
        self.log = (self.config.with_suffix(".log")).open("ab")
        command = [sys.executable, "-m", "facesecure", "run"]
        self.process = subprocess.Popen(command, env=self.environment, stdout=self.log, stderr=self.log)

    def stop(self, *, kill: bool = False) -> None:
        if self.process is not None:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait(60)
            self.process = None
        if self.log is not None:
            self.log.close()

    def command(self, *words: str) -> str:
        command = [sys.executable, "-m", "facesecure", *words]
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout

    def names(self) -> dict[str, int]:
        with Store.open(self.state_dir) as store:
            return {person.name: person.faces for person in store.people()}

    @contextmanager
    def store(self) -> Iterator[Store]:
        with Store.open(self.state_dir) as store:
            yield store

    def rename(self, name: str, new: str) -> None:
        with self.store() as store:
            people.rename_person(store, FacesecureConfig(), self.state_dir, name, new)

    def forget(self, name: str) -> None:
        with self.store() as store:
            people.forget_person(store, FacesecureConfig(), self.state_dir, name)


def wait_for(true: Callable[[], object], what: str) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < 180, f"not seen: {what}"
        time.sleep(0.1)
    return time.monotonic() - began


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    with made_server() as server:
        yield RealHub(server, tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module")
def doors(hub: RealHub) -> Iterator[tuple[Door, Door]]:
    hub.add("garage")
    made = []
    for name in ("front", "garage"):
        config = hub.folder / f"{name}.toml"
        url = f"postgresql+psycopg://127.0.0.1:{hub.server.port}/{hub.database}"
        config.write_text(f'[hub]\ndatabase = "{url}"\n[camera]\nsource = "rtsp://127.0.0.1:9/none"\n')
        made.append(Door(hub.folder / name, config))
        made[-1].start()
    yield made[0], made[1]
    for one in made:
        one.stop()
        assert "Traceback" not in one.config.with_suffix(".log").read_text()


def test_people_are_known_renamed_and_removed_at_both_doors(hub: RealHub, doors: tuple[Door, Door]) -> None:
    front, garage = doors
    with front.store() as store:
        store.add_person("Anna", grace())
    took = wait_for(lambda: garage.names() == {"Anna": 4}, "Anna at the garage")
    print(f"known at the other door after {took:.1f} s, start of the daemons included")
    with garage.store() as store:
        store.add_person("Cleo", eileen())
    print(f"known after {wait_for(lambda: 'Cleo' in front.names(), 'Cleo at the front'):.2f} s")
    garage.rename("Cleo", "Cleopatra")
    print(f"renamed after {wait_for(lambda: 'Cleopatra' in front.names(), 'her new name'):.2f} s")
    assert "this door, garage" in front.command("people", "show", "Anna")
    front.command("people", "assign", "Anna", "--none", "--yes")
    wait_for(lambda: garage.names() == {"Cleopatra": 1}, "that the garage does not know Anna")
    front.command("people", "assign", "Anna", "--door", "garage")
    wait_for(lambda: garage.names() == {"Anna": 4, "Cleopatra": 1}, "that the garage knows Anna again")
    garage.forget("Anna")
    print(f"wiped after {wait_for(lambda: 'Anna' not in front.names(), 'that Anna is wiped'):.2f} s")
    wait_for(lambda: not overview(CONFIG, hub.manager).waiting, "that both have confirmed")
    kept = "SELECT count(*) FROM facesecure.people WHERE document IS NOT NULL"
    assert hub.server.administer(kept, hub.database) == [(1,)]


def test_a_door_that_was_cut_off_wipes_when_it_is_back_and_is_named_until_then(
    hub: RealHub, doors: tuple[Door, Door]
) -> None:
    front, garage = doors
    with front.store() as store:
        store.add_person("Anna", grace()[:2])
    wait_for(lambda: garage.names().get("Anna") == 2, "Anna at the garage")
    garage.stop()
    front.forget("Anna")
    wait_for(lambda: overview(CONFIG, hub.manager).waiting == ("garage",), "that the garage has not confirmed")
    assert garage.names()["Anna"] == 2
    garage.start()
    wait_for(lambda: "Anna" not in garage.names(), "that Anna is wiped")
    wait_for(lambda: not overview(CONFIG, hub.manager).waiting, "that the garage has confirmed")


def test_the_doors_go_on_without_the_hub_and_agree_when_it_is_back(hub: RealHub, doors: tuple[Door, Door]) -> None:
    front, garage = doors
    with front.store() as store:
        store.add_person("Anna", grace()[:2])
    wait_for(lambda: garage.names().get("Anna") == 2, "Anna at the garage")
    hub.server.stop()
    with front.store() as store:
        store.add_person("Anna", grace()[2:3])
    with garage.store() as store:
        store.add_person("Anna", grace()[3:])
    garage.rename("Anna", "Annie")
    hub.server.start()
    for door in doors:
        wait_for(lambda door=door: door.names().get("Annie") == 4, "what both doors changed")
    front.forget("Annie")
    wait_for(lambda: "Annie" not in garage.names(), "that she is wiped")


def test_killed_at_any_moment_the_doors_agree_in_the_end(hub: RealHub, doors: tuple[Door, Door]) -> None:
    chance = random.Random(16)
    for number, (at, other) in enumerate([doors, doors[::-1], doors]):
        with at.store() as store:
            store.add_person(f"Anna {number}", grace()[:3])
        time.sleep(chance.uniform(0.2, 2))
        other.stop(kill=True)
        other.start()
        wait_for(lambda other=other, number=number: f"Anna {number}" in other.names(), "the person")
        at.forget(f"Anna {number}")
        time.sleep(chance.uniform(0, 1))
        at.stop(kill=True)
        other.stop(kill=True)
        at.start()
        other.start()
        wait_for(lambda other=other, number=number: f"Anna {number}" not in other.names(), "that the person is wiped")
        wait_for(lambda: not overview(CONFIG, hub.manager).waiting, "that all have confirmed")
    assert doors[0].names() == doors[1].names() == {"Cleopatra": 1}


def test_the_database_lets_doors_do_what_they_may_and_no_more(hub: RealHub, tmp_path: Path) -> None:
    own = RealHub(hub.server, tmp_path)
    own.add("garage")
    own.add("gate", rights=frozenset())
    own.add("flat", household="upstairs")
    front, garage, gate, flat = made = [joined(tmp_path / name) for name in ("front", "garage", "gate", "flat")]
    front.store.add_person("Anna", grace())
    garage.store.add_person("Cleo", eileen())
    settle(*made)
    assert front.names() == garage.names() == gate.names() == {"Anna": 4, "Cleo": 1}
    assert flat.names() == {}
    gate.forget("Anna")
    gate.store.add_person("Bob", eileen())  # nearly Cleo, and only at the gate
    settle(*made)
    assert "Anna" not in gate.names()
    assert front.names() == garage.names() == {"Anna": 4, "Cleo": 1}
    assign(front.state_dir, front.uid("Cleo"), ["flat", "garage"])
    settle(*made)
    assert flat.names() == {"Cleo": 1}
    assert "Cleo" not in gate.names()
    flat.forget("Cleo")
    garage.rename("Cleo", "Cleopatra")
    settle(*made)
    assert (front.names(), flat.names()) == ({"Anna": 4, "Cleopatra": 1}, {})
    keys = {entry.key.secret for entry in front.state.people.values()}
    with own.managing() as manager:
        manager.remove(next(door for door in manager.doors() if door.name == "garage"))
    settle(front, gate, flat)
    assert not keys & {entry.key.secret for entry in front.state.people.values()}
    shed = joined(own.add("shed"))
    made.append(shed)
    settle(front, shed)
    assert shed.names() == {"Anna": 4}  # Cleo is for the flat and the garage
    front.forget("Anna")
    settle(front, shed, gate)
    assert shed.names() == {}
    assert not overview(CONFIG, own.manager).waiting
    for door in made:
        door.store.close()
        door.hub.database.close()


def joined(state_dir: Path) -> SharingDoor:
    identity = member_identity(state_dir)
    return SharingDoor(state_dir, identity, Store.open(state_dir), store_of(identity, CONFIG, state_dir))
