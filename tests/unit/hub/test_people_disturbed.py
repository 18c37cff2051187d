"""People that doors share, with what comes between: changes while faces are judged, old backups, doors shut out."""

from __future__ import annotations

import secrets
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from facesecure.hub.sealing import DataKey
from facesecure.hub.sync import assigning, taking_in
from facesecure.hub.sync.assigning import HubAssigner, assign
from facesecure.hub.sync.people_state import PeopleState
from facesecure.storage.store import Store
from support.hub_people import SharingDoor, eileen, grace, settle

pytest_plugins = ["support.hub_people_fixtures"]


@pytest.mark.parametrize("change", ["remove", "rename"])
def test_who_is_removed_or_renamed_while_faces_from_another_door_are_judged_stays_so(front, garage, change):
    front.store.add_person("Anna", grace()[:2])
    settle(front, garage)
    front.store.add_person("Anna", grace()[2:3])
    judged = garage.local._judged

    def meanwhile(*arguments):
        garage.local._judged = judged
        found = judged(*arguments)  # takes seconds where the models have to be loaded
        garage.forget("Anna") if change == "remove" else garage.rename("Anna", "Annie")
        return found

    front.sync()
    garage.local._judged = meanwhile
    settle(garage, front)
    assert front.names() == garage.names() == ({} if change == "remove" else {"Annie": 3})
    assert len(garage.state.people) == len(front.state.people) == (0 if change == "remove" else 1)


def test_who_is_enrolled_while_somebody_of_that_name_arrives_is_another_person(front, garage):
    front.store.add_person("Anna", grace())
    front.sync()
    judged = garage.local._judged

    def meanwhile(*arguments):
        garage.local._judged = judged
        found = judged(*arguments)
        garage.store.add_person("Anna", eileen())
        return found

    garage.local._judged = meanwhile
    settle(garage, front)
    assert garage.names() == {"Anna": 1, "Anna (front)": 4}


def back_up(door: SharingDoor, what: str) -> Path:
    """Copy the door's database, or with ``.`` its state directory, as if it were switched off."""
    door.store.close()
    copy = door.state_dir.with_name("backup")
    shutil.copytree(door.state_dir, copy) if what == "." else shutil.copy(door.state_dir / what, copy)
    door.store = Store.open(door.state_dir)
    door.restart()
    return copy


def put_back(door: SharingDoor, what: str, copy: Path) -> None:
    door.store.close()
    if what == ".":
        shutil.rmtree(door.state_dir)
        shutil.copytree(copy, door.state_dir)
    else:
        shutil.copy(copy, door.state_dir / what)
    door.store = Store.open(door.state_dir)
    door.restart()


def test_an_old_database_of_a_door_brings_back_nobody_and_undoes_nothing(front, garage):
    front.store.add_person("Anna", grace()[:3])
    front.store.add_person("Cleo", eileen())
    settle(front, garage)
    copy = back_up(garage, "facesecure.db")
    front.forget("Cleo")
    front.rename("Anna", "Annie")
    front.store.add_person("Annie", grace()[3:])
    front.store.remove_face(front.store.face_numbers("Annie")[0])
    settle(front, garage)
    assert front.names() == garage.names() == {"Annie": 3}
    faces = front.local.faces("Annie").keys()
    put_back(garage, "facesecure.db", copy)
    assert garage.names() == {"Anna": 3, "Cleo": 1}
    settle(garage, front)
    assert front.names() == garage.names() == {"Annie": 3}
    assert front.local.faces("Annie").keys() == garage.local.faces("Annie").keys() == faces
    garage.rename("Annie", "Ann")
    settle(garage, front)
    assert list(front.names()) == ["Ann"]


def test_a_state_directory_that_is_put_back_brings_back_nobody_who_was_removed(front, garage):
    front.store.add_person("Cleo", eileen())
    settle(front, garage)
    copy = back_up(garage, ".")
    front.forget("Cleo")
    settle(front, garage)
    assert not front.hub.removals.open()
    put_back(garage, ".", copy)
    assert garage.names() == {"Cleo": 1}
    settle(garage, front)
    assert garage.names() == front.names() == {}


def test_who_changes_the_doors_of_a_person_elsewhere_keeps_the_door_that_assigned_them(estate, front, garage):
    gate = estate.add("gate")
    front.store.add_person("Anna", grace()[:2])
    settle(front, garage, gate)
    assign(front.state_dir, front.uid("Anna"), ["garage", "gate"])
    settle(front, garage, gate)
    page = HubAssigner(garage.state_dir)
    known = {one.name: one.knows for one in page.doors_of(garage.uid("Anna")).doors}
    assert known == {"front": True, "gate": True}
    page.assign(garage.uid("Anna"), list(known))
    settle(garage, front, gate)
    assert front.names() == gate.names() == {"Anna": 2}
    estate.shut_out(gate)
    garage.store.add_person("Anna", grace()[2:])
    settle(garage, front)
    assert front.names() == {"Anna": 4}


def test_a_door_writes_over_nobody_whom_another_one_put_under_a_key_that_it_has_not(front, garage):
    front.store.add_person("Anna", grace()[:2])
    settle(front, garage)
    shared, entry = front.shared("Anna"), front.state.people[front.shared("Anna")]
    document, key, version = secrets.token_bytes(99), DataKey.made(entry.key.version + 1), entry.version + 1
    row = garage.documents.person(shared, version, document, key)
    own = garage.documents.keys_for(shared, key, [garage.identity.own()])
    assert garage.hub.people.put(row, own, entry.version) is not None
    front.store.add_person("Anna", grace()[2:])
    assign(front.state_dir, front.uid("Anna"), None)
    front.sync()
    written = garage.hub.people.get(shared).person
    assert (written.author, written.version) == (garage.door, version)
    assert any("left out" in note for note in front.state.notes())


@pytest.mark.parametrize("last", ["garage", "front"])
def test_a_person_whom_a_door_knew_that_was_shut_out_gets_another_key_whoever_writes_next(estate, front, garage, last):
    gate = estate.add("gate")
    front.store.add_person("Anna", grace()[:2])
    settle(front, garage, gate)
    shared = gate.shared("Anna")
    key = gate.state.people[shared].key
    estate.shut_out(gate)  # the front, which wrote last, is off
    (garage if last == "garage" else front).store.add_person("Anna", grace()[2:])
    settle(garage, front)
    assert front.names() == garage.names() == {"Anna": 4}
    now = {door.state.people[shared].key.secret for door in (front, garage)}
    assert len(now) == 1
    assert key.secret not in now


def test_wishes_of_the_page_and_of_a_command_at_once_are_all_kept(tmp_path, monkeypatch):
    read = assigning.read_wishes

    def slow(state_dir):
        found = read(state_dir)
        time.sleep(0.05)
        return found

    monkeypatch.setattr(assigning, "read_wishes", slow)
    with ThreadPoolExecutor() as pool:
        for number in range(4):
            pool.submit(assigning._write_wish, tmp_path, f"uid {number}", assigning.Wish(None, secrets.token_hex(16)))
    assert len(read(tmp_path)) == 4


class Killed(BaseException):
    """The process ends here."""


def killed_after_enrolling(door: SharingDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``door`` enrol whom the hub has, and be killed before it remembers who that is."""
    saved = PeopleState.save

    def kill(state: PeopleState) -> None:
        if door.names() and not state.people:
            raise Killed
        saved(state)

    def agree(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(taking_in, "_agree", agree)
        patched.setattr(PeopleState, "save", kill)
        with pytest.raises(Killed):
            door.sync()
    door.restart()
    assert door.names() == {"Anna": 4}
    assert not door.state.people


@pytest.mark.parametrize("removed_at", ["front", "garage", None])
def test_who_was_being_enrolled_when_a_door_was_killed_stays_one_person_or_removed(
    front, garage, monkeypatch, removed_at
):
    front.store.add_person("Anna", grace())
    front.sync()
    killed_after_enrolling(garage, monkeypatch)
    if removed_at:
        (front if removed_at == "front" else garage).forget("Anna")
    settle(*((front, garage) if removed_at == "front" else (garage, front)))
    expected = {} if removed_at else {"Anna": 4}
    assert front.names() == garage.names() == expected
    assert len(front.state.people) == len(garage.state.people) == len(expected)
    assert garage.state.begun == {}


def test_who_was_begun_under_another_name_when_a_door_was_killed_keeps_it_there(front, garage, monkeypatch):
    front.store.add_person("Anna", grace())
    front.sync()
    garage.store.add_person("Anna", eileen())
    agreed = taking_in._agree

    def agree(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(taking_in, "_agree", agree)
    with pytest.raises(Killed):
        garage.sync()
    monkeypatch.setattr(taking_in, "_agree", agreed)
    garage.restart()
    settle(garage, front)
    assert garage.names() == {"Anna": 1, "Anna (front)": 4}
    assert front.names() == {"Anna": 4, "Anna (garage)": 1}
