"""A door seals with no older key of its household than the newest that it has seen, and the manager gives keys anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete, insert

from facesecure.config import FacesecureConfig
from facesecure.domain.errors import HubError
from facesecure.hub.certify import certified, wrapped_keys
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.front import HubFront
from facesecure.hub.identity import Household as Named
from facesecure.hub.identity_file import write_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.restoring import EVERY, Restoring
from facesecure.hub.sync.household import FILE_NAME
from facesecure.hub.sync.visits import visits_elsewhere
from facesecure.hub.tables import household_keys
from facesecure.storage.store import Store
from support.hub_household import SimulatedDoor, SimulatedHousehold
from support.policy import FakeClock


@pytest.fixture
def household(tmp_path: Path) -> Iterator[SimulatedHousehold]:
    made = SimulatedHousehold(tmp_path)
    yield made
    made.close()


def give(household: SimulatedHousehold, version: int, *doors: SimulatedDoor) -> None:
    members = [door.identity.own() for door in doors]
    keys = wrapped_keys(household.estate.authority, household.manager, members, [version])
    with doors[0].store.database.begin() as connection:
        connection.execute(insert(household_keys), [vars(key) for key in keys])


def take(door: SimulatedDoor, version: int) -> None:
    with door.store.database.begin() as connection:
        connection.execute(delete(household_keys).where(household_keys.c.version == version))


def test_nothing_is_sealed_with_a_key_older_than_the_newest_that_was_seen(household: SimulatedHousehold) -> None:
    front = household.add("front")
    give(household, 2, front)
    front.learn()
    sealed = front.household.documents.sighting("a" * 32, b"newer")
    take(front, 2)
    front.learn()
    for door in (front, household.opened(front.state_dir, front.identity)):
        with pytest.raises(NotGenuineError, match="had version 2 "):
            door.household.documents.sighting("b" * 32, b"older")
    give(household, 2, front)
    front.learn()
    assert front.household.documents.sighting("c" * 32, b"newer").document[:5] == sealed.document[:5]


def test_what_somebody_wrote_about_the_newest_key_is_not_believed(
    household: SimulatedHousehold, caplog: pytest.LogCaptureFixture
) -> None:
    front = household.add("front")
    (front.state_dir / FILE_NAME).write_text('{"household": "", "version": 9}')
    again = household.opened(front.state_dir, front.identity)
    assert again.household.documents.sighting("a" * 32, b"sealed")
    assert "is not known" in caplog.text


def test_the_manager_gives_keys_that_are_missing_after_a_second_look(household: SimulatedHousehold) -> None:
    front = household.add("front")
    manager = replace(household.manager, households=(Named("home", 2),))
    state_dir = household.folder / "manager"
    state_dir.mkdir()
    write_identity(state_dir, manager)
    acting = household.opened(state_dir, manager)
    clock = FakeClock()
    restoring = Restoring(state_dir, KnownDoors(state_dir), clock.steady)
    seen = []
    for _ in range(2):
        restoring.restore(acting.store)
        front.learn()
        seen.append(front.household.documents.newest)
        clock.pass_time(EVERY)
    assert seen == [1, 2]
    assert all(key.author == manager.door for key in front.store.household_keys.mine())
    acting.store.database.close()


def test_a_door_that_knows_that_it_was_removed_begins_without_the_hub(household: SimulatedHousehold) -> None:
    """It learns that where an old backup of the hub lets it in again for a minute."""
    front = household.add("front")
    own = front.identity.own()
    gone = replace(own, rights=frozenset(), removed=True, serial=own.serial + 1)
    front.known.believe(certified(household.estate.authority, gone))
    commands = SimpleNamespace(troubles={})
    daemon: Any = SimpleNamespace(context=SimpleNamespace(state_dir=front.state_dir), commands=commands)
    with HubFront(FacesecureConfig()).opened(daemon):
        assert commands.troubles["hub"]().startswith("this door was removed from the hub; facesecure hub leave")
    with Store.open(front.state_dir) as store, pytest.raises(HubError, match="was removed from the hub"):
        visits_elsewhere(store, front.state_dir)
