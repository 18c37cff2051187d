"""No two doors get one name, and each is found by its own. On a real PostgreSQL."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from facesecure.cli import hub_doors
from facesecure.domain.errors import HubError, HubRefusedError, UsageError
from facesecure.hub import managing
from facesecure.hub.certify import certified
from facesecure.hub.identity import Certificate
from facesecure.hub.identity_file import write_identity
from facesecure.hub.managing import VALID, Manager
from facesecure.hub.overview import overview
from facesecure.hub.store.joining import Joining
from facesecure.services import audit
from support.hub_estate import CONFIG, RealHub
from support.postgres.server import Server

pytest_plugins = ["support.postgres.fixtures"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hub(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> RealHub:
    return RealHub(postgres, tmp_path_factory.mktemp("hub"))


@pytest.fixture
def manager(hub: RealHub) -> Iterator[Manager]:
    with hub.managing() as manager:
        yield manager


def names(manager: Manager) -> list[str]:
    return [door.name for door in manager.doors()]


def test_a_name_is_promised_to_one_door_only(hub: RealHub, manager: Manager) -> None:
    code = hub.invite("Küche")
    for name in ("Küche", "küche", unicodedata.normalize("NFD", "KÜCHE"), " Küche "):
        with pytest.raises(UsageError, match="'Küche' is invited already") as caught:
            manager.invite(name, None, frozenset(), hub.ca)
        assert "choose another name" in str(caught.value.hint)
    with pytest.raises(UsageError, match="is invited already"):
        manager.rename(hub_doors._door(manager, "front"), "küche")
    with hub.answering():
        hub.join("kitchen", code)
    with pytest.raises(UsageError, match="there is a door"):
        manager.invite(unicodedata.normalize("NFD", "küche"), None, frozenset(), hub.ca)


def test_an_invitation_keeps_its_name_until_it_expires_and_only_if_somebody_has_its_code(
    hub: RealHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + VALID + timedelta(minutes=1)

    def refusing(*_: object) -> None:
        raise HubRefusedError("not now", "again")

    with monkeypatch.context() as patch:
        patch.setattr(Joining, "invite", refusing)
        with pytest.raises(HubRefusedError):
            hub.invite("loft")
    hub.invite("loft")
    with pytest.raises(UsageError):
        hub.invite("loft")
    monkeypatch.setattr(managing, "datetime", Later)
    hub.invite("loft")


def test_an_invitation_is_shown_as_open_until_it_expires(hub: RealHub) -> None:
    hub.invite("pantry")
    assert "pantry" in overview(CONFIG, hub.manager).invitations
    hub.administer("UPDATE invitations SET expires_at = now() - interval '1 second' WHERE name = 'pantry'")
    assert "pantry" not in overview(CONFIG, hub.manager).invitations


def test_a_door_whose_name_another_has_got_meanwhile_joins_with_a_number(
    hub: RealHub, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hub.invite("garage")
    with (
        monkeypatch.context() as patch
    ):  # as a facesecure did that did not look at invitations, or two commands at once
        patch.setattr(Manager, "_require_new", lambda *_: None)
        second = hub.invite("Garage")
    with hub.answering():
        assert hub.join("first", first).name == "garage"
        assert hub.join("second", second).name == "Garage 2"
    assert [name for name in names(manager) if "arage" in name] == ["garage", "Garage 2"]


def test_doors_that_have_one_name_are_told_apart_by_their_ids(hub: RealHub, manager: Manager) -> None:
    first, second = (hub.identity(hub.add(name)).own() for name in ("barn", "stable"))
    _call(manager, second, "Barn")
    with pytest.raises(UsageError, match="2 doors are called") as caught:
        hub_doors._door(manager, "barn", half_removed=True)
    assert all(one.door in str(caught.value.hint) for one in (first, second))
    manager.rename(hub_doors._door(manager, second.door), "stable")
    assert hub_doors._door(manager, "barn").door == first.door
    assert hub_doors._door(manager, "stable ").door == second.door


def _call(manager: Manager, door: Certificate, name: str) -> None:
    """Name a door as an earlier facesecure did, which let two have one name."""
    values = {**vars(door), "name": name, "serial": managing._after(door.serial)}
    manager._store.doors.replace(certified(manager._authority, Certificate(**values)))


def test_a_door_may_be_written_otherwise(hub: RealHub, manager: Manager) -> None:
    hub.add("cellar")
    for name in ("CELLAR", "Cellar"):
        manager.rename(hub_doors._door(manager, "cellar"), name)
        assert name in names(manager)
    with pytest.raises(UsageError, match="there is a door 'FRONT' already"):
        manager.rename(hub_doors._door(manager, "cellar"), "FRONT")


def test_a_household_that_was_added_while_a_command_waited_for_an_answer_is_not_forgotten(
    hub: RealHub, manager: Manager
) -> None:
    shed = hub.identity(hub.add("shed")).own()
    flat = hub.identity(hub.add("flat", "flat 3")).own()  # by another command
    manager.remove(shed)
    assert manager.household_name(flat.household) == "flat 3"
    manager.remove(flat)
    assert flat.door not in {door.door for door in manager.doors()}


def test_a_command_that_waited_makes_no_older_key_the_newest(hub: RealHub) -> None:
    first, second = (hub.identity(hub.add(name, "flat 4")).own() for name in ("hall", "attic"))
    with hub.managing() as waiting:
        with hub.managing() as other:
            other.remove(first)
        waiting.remove(second)
    (found,) = (one for one in hub.identity(hub.manager).households if one.name == "flat 4")
    assert found.version == 3


def test_a_household_whose_name_is_written_otherwise_is_the_same_one(hub: RealHub, manager: Manager) -> None:
    """Small letters of some capitals are put together otherwise: "ΤΑΪ́ΔΗΣ" is "Ταΐδης" only as ``name_key`` compares."""
    gone = hub.identity(hub.add("kiosk", "Τα\u0390δης")).own()
    manager.remove(gone)
    added = hub.add("booth", "ΤΑ\u03aa\u0301ΔΗΣ")
    assert hub.identity(added).own().household == gone.household
    with hub.opened(added) as store:
        assert [key.version for key in store.household_keys.mine()] == [2, 1]


def test_a_request_that_the_daemon_has_answered_is_not_refused_by_a_command_that_waits(
    hub: RealHub, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = hub.invite("porch")
    with ThreadPoolExecutor(1) as pool, hub.managing() as daemon:
        joined = pool.submit(hub.join, "porch", code)
        while not (requests := manager._store.joining.requests()):
            time.sleep(0.05)
        assert daemon.answer()
        monkeypatch.setattr(manager._store.joining, "requests", lambda: requests)
        assert manager.answer() == []
        assert joined.result(60).name == "porch"
    assert "hub-join-refused" not in [entry.action for entry in audit.verify(hub.manager).entries]


def test_a_manager_whose_state_was_put_back_gives_no_key_that_a_removed_door_has(hub: RealHub) -> None:
    before, gone = hub.identity(hub.manager), hub.identity(hub.add("barrow")).own()
    flat = hub.identity(hub.add("bell", "flat 9")).own()
    with hub.managing() as manager:
        manager.remove(gone)
    newest = hub.identity(hub.manager).households[0].version
    write_identity(hub.manager, before)
    with hub.opened(hub.add("coop")) as store:
        assert max(key.version for key in store.household_keys.mine()) == newest
    assert hub.identity(hub.manager).households[0].version == newest
    with hub.managing() as manager:
        with pytest.raises(HubError, match="does not know the door's household") as caught:
            manager.remove(flat)
        assert "hub invite NAME --household" in str(caught.value.hint)
        manager.invite("chime", "flat 9", frozenset(), hub.ca)
        manager.remove(hub_doors._door(manager, "bell", half_removed=True))
        assert not manager.half_removed()
