"""What a door begins with as it joins, and what becomes of it where the connection is lost. On a real PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.hub.connecting import HubAddress
from facesecure.hub.making import make
from facesecure.hub.sync.people_state import PeopleState
from support.hub_estate import RealHub
from support.postgres.server import ADMINISTRATOR, Server

pytest_plugins = ["support.postgres.fixtures"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hub(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> RealHub:
    return RealHub(postgres, tmp_path_factory.mktemp("hub"))


def left(folder: Path) -> Path:
    """Return the state directory of a door that has left a hub while its daemon wrote what it knew of it."""
    state = PeopleState(folder)
    state.gone["ab" * 16] = 3
    state.save()
    return folder


def test_a_door_joins_without_what_it_knew_of_another_hub(hub: RealHub) -> None:
    folder = left(hub.folder / "garage")
    hub.add("garage")
    assert not PeopleState.read(folder).gone


def test_a_door_makes_a_hub_without_what_it_knew_of_another(postgres: Server, tmp_path: Path) -> None:
    address = HubAddress(postgres.url(ADMINISTRATOR, postgres.new_database()), postgres.password)
    make(left(tmp_path), address, "front", "home", postgres.authority.root.read_text())
    assert not PeopleState.read(tmp_path).gone
