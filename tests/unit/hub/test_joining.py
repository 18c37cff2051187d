"""What a door begins with as it joins, and what becomes of it where the connection is lost. On a real PostgreSQL."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from facesecure.cli import hub_invitation
from facesecure.cli.hub_invitation import wait_for
from facesecure.config.hub import HubConfig
from facesecure.domain.errors import HubError
from facesecure.hub.connecting import HubAddress
from facesecure.hub.joining import Joining, join
from facesecure.hub.making import make
from facesecure.hub.managing import Manager
from facesecure.hub.sync.people_state import PeopleState
from support.hub_estate import CONFIG, RealHub
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


def test_a_connection_that_is_lost_ends_neither_the_doors_waiting_nor_the_commands(
    hub: RealHub, capfd: pytest.CaptureFixture[str]
) -> None:
    code, began = hub.invite("attic"), threading.Event()
    with ThreadPoolExecutor(2) as pool, hub.managing() as manager:
        joining = Joining(hub.folder / "attic", code, CONFIG, timedelta(seconds=60), began.set)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Manager, "answer", lambda _: [])
            patch.setattr(hub_invitation, "_LOOK_SECONDS", 0.1)
            waits, joins = pool.submit(wait_for, manager, code), pool.submit(join, joining)
            assert began.wait(60)
            hub.administer("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename ~ '^facesecure_door'")
            time.sleep(1)
        assert joins.result(60).name == "attic"
        waits.result(60)
    said = capfd.readouterr().err
    assert said.count("trying again") == 1
    assert "attic has joined" in said


def test_a_configuration_that_names_the_hub_of_before_is_suspected(
    hub: RealHub, postgres: Server, tmp_path: Path
) -> None:
    code, before = hub.invite("loft"), RealHub(postgres, tmp_path)
    config = HubConfig(database=before.identity(before.manager).url)
    with pytest.raises(HubError, match="does not let this role in") as caught:
        join(Joining(hub.folder / "loft", code, config))
    assert caught.value.hint == f"the code is for {code.url}: correct [hub] database if it names another hub"
