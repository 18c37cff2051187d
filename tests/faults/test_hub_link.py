"""A door keeps its connection to the hub, does without it, and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from facesecure.hub.access import store_of
from facesecure.hub.front import duties_of
from facesecure.hub.identity_file import member_identity
from facesecure.hub.known_doors import KnownDoors
from facesecure.hub.link import Link
from facesecure.hub.overview import listed
from facesecure.hub.sync.doors import Doors
from facesecure.hub.sync.household import Household
from support.hub_estate import CONFIG, RealHub
from support.postgres.server import made_server

pytestmark = pytest.mark.slow


@contextmanager
def linked(state_dir: Path) -> Iterator[Link]:
    """Keep the connection of a door as its daemon does."""
    identity, known = member_identity(state_dir), KnownDoors(state_dir)
    household = Household(state_dir, known)
    signs = [household.refresh, Doors(household, lambda: {"last": None}).report]
    with Link(store_of(identity, CONFIG, state_dir), [*duties_of(identity, state_dir, known), *signs]) as link:
        yield link


def wait_for(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline, f"not seen: {what}"
        time.sleep(0.1)


def test_the_managers_daemon_lets_doors_in_and_every_door_learns_of_changes_over_a_restart_of_the_hub(
    tmp_path: Path,
) -> None:
    with made_server() as server:
        hub = RealHub(server, tmp_path)
        with linked(hub.manager) as manager:
            assert hub.join("garage", hub.invite("garage")).name == "garage"
            garage = hub.folder / "garage"
            with linked(garage) as link:
                wait_for(lambda: all(door.seen_at for door in listed(CONFIG, garage).doors), "signs of life")
                server.stop()
                wait_for(lambda: manager.trouble and link.trouble, "that the hub is gone")
                server.start()
                wait_for(lambda: not manager.trouble and not link.trouble, "that the hub is back")
                with hub.managing() as acting:
                    acting.rename(next(door for door in acting.doors() if door.name == "garage"), "side door")
                wait_for(lambda: member_identity(garage).own().name == "side door", "the new name")
                assert hub.join("shed", hub.invite("shed")).name == "shed"
                wait_for(lambda: "shed" in {door.name for door in KnownDoors(garage).trusted.present()}, "the new door")
                with hub.managing() as acting:
                    acting.remove(next(door for door in acting.doors() if door.name == "side door"))
                wait_for(lambda: link.trouble, "that the door is shut out")
        assert {door.name for door in KnownDoors(garage).trusted.present()} >= {"front", "shed"}


def test_a_list_of_doors_that_others_wrote_is_not_believed(tmp_path: Path) -> None:
    with made_server() as server:
        hub = RealHub(server, tmp_path)
        (hub.manager / "hub" / "doors.json").write_text('{"a": "00"}')
        assert [door.name for door in KnownDoors(hub.manager).trusted.present()] == ["front"]
