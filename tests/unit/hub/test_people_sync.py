"""People that doors share: enrolled, changed, merged, removed and assigned, at two and three doors of one hub."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from facesecure.domain.doors import PersonDoor, PersonDoors
from facesecure.domain.errors import StoreError, UsageError
from facesecure.hub.rows import Right
from facesecure.hub.sync.assigning import HubAssigner, assign, assigned
from support.hub_people import eileen, grace, settle

pytest_plugins = ["support.hub_people_fixtures"]


def test_who_is_enrolled_at_one_door_is_known_renamed_and_changed_at_the_other(front, garage):
    front.store.add_person("Anna", grace()[:2])
    settle(front, garage)
    assert garage.names() == {"Anna": 2}
    garage.store.add_person("Anna", grace()[2:])
    garage.rename("Anna", "Annie")
    settle(garage, front)
    assert front.names() == {"Annie": 4}
    front.store.remove_face(front.store.face_numbers("Annie")[0])
    settle(front, garage)
    assert garage.names() == {"Annie": 3}
    assert [entry.note for entry in front.state.people.values()] == [""]


def test_what_two_doors_change_at_once_is_merged(front, garage):
    front.store.add_person("Anna", grace()[:2])
    settle(front, garage)
    front.store.add_person("Anna", grace()[2:3])
    garage.store.add_person("Anna", grace()[3:])
    garage.store.remove_face(garage.store.face_numbers("Anna")[0])
    settle(front, garage)
    assert front.names() == garage.names() == {"Anna": 3}
    versions = [entry.version for door in (front, garage) for entry in door.state.people.values()]
    settle(front, garage)
    assert [entry.version for door in (front, garage) for entry in door.state.people.values()] == versions


def test_of_two_new_names_the_newer_counts_even_if_it_reaches_the_hub_first(front, garage):
    front.store.add_person("Anna", grace()[:2])
    settle(front, garage)
    garage.rename("Anna", "Old")
    garage.people.notice({garage.uid("Old"): ("Old", 1000.0)})
    front.rename("Anna", "New")
    settle(front, garage)
    assert list(front.names()) == list(garage.names()) == ["New"]


def test_a_person_enrolled_at_both_doors_before_is_one_person(front, garage):
    front.store.add_person("Anna", grace()[:2])
    garage.store.add_person("anna", grace()[2:])
    settle(front, garage)
    assert {name.casefold(): faces for name, faces in front.names().items()} == {"anna": 4}
    assert {name.casefold(): faces for name, faces in garage.names().items()} == {"anna": 4}
    assert len(front.state.people) == len(garage.state.people) == 1


def test_a_person_whom_two_doors_hand_out_at_once_is_one_person(front, garage):
    front.store.add_person("Anna", grace()[:2])
    garage.store.add_person("Anna", grace()[2:])
    for door in (front, garage):
        door.known.learn(door.hub)
        work = door.people._round(door.hub)
        door.people._push(work)
    settle(front, garage)
    assert front.names() == garage.names() == {"Anna": 4}
    assert front.shared("Anna") == garage.shared("Anna")
    assert not front.hub.removals.open()


def test_two_people_of_one_name_stay_two(front, garage):
    front.store.add_person("Anna", grace())
    garage.store.add_person("Anna", eileen())
    settle(front, garage)
    assert front.names() == {"Anna": 4, "Anna (garage)": 1}
    assert garage.names() == {"Anna": 1, "Anna (front)": 4}
    assert any("is called Anna (garage) here" in note for note in front.state.notes())
    settle(front, garage)
    assert front.names() == {"Anna": 4, "Anna (garage)": 1}


def test_who_is_removed_at_one_door_is_wiped_at_the_others_and_confirmed(estate, front, garage):
    shed = estate.add("shed")
    front.store.add_person("Anna", grace())
    settle(front, garage, shed)
    assert shed.names() == {"Anna": 4}
    garage.forget("Anna")
    garage.sync()
    assert {order.door for order in front.hub.removals.open()} == {front.door, shed.door, garage.door}
    front.sync()
    garage.sync()
    assert [order.door for order in front.hub.removals.open()] == [shed.door]  # away for a week
    shed.store.add_person("Cleo", eileen())
    order = []
    shed.people._local.wipe = watched(order, "wiped", shed.people._local.wipe)
    shed.hub.people.put = watched(order, "shared", shed.hub.people.put)
    shed.sync()
    assert order == ["wiped", "shared"]
    assert not front.hub.removals.open()
    front.store.add_person("Anna", grace())
    settle(front, garage, shed)
    assert garage.names() == shed.names() == {"Anna": 4, "Cleo": 1}


def watched(order, word, call):
    def watching(*arguments):
        order.append(word)
        return call(*arguments)

    return watching


@pytest.mark.parametrize("step", ["wipe", "forget", "confirm"])
def test_a_wipe_that_is_killed_anywhere_is_finished_after_the_restart(front, garage, monkeypatch, step):
    front.store.add_person("Anna", grace())
    settle(front, garage)
    front.forget("Anna")
    front.sync()
    where = {
        "wipe": (garage.people._local, "wipe"),
        "forget": (garage.people._state, "forget"),
        "confirm": (garage.hub.removals, "confirm"),
    }
    with monkeypatch.context() as patched:
        patched.setattr(*where[step], killed)
        with pytest.raises(KeyboardInterrupt):
            garage.sync()
    garage.restart()
    garage.sync()
    assert garage.names() == {}
    assert not [order for order in front.hub.removals.open() if order.door == garage.door]


@pytest.mark.parametrize("step", ["put", "remove"])
def test_handing_out_and_removing_that_are_killed_after_they_reached_the_hub_are_not_done_twice(
    front, garage, monkeypatch, step
):
    front.store.add_person("Anna", grace())
    if step == "remove":
        settle(front, garage)
        front.forget("Anna")
    with monkeypatch.context() as patched:
        patched.setattr(front.hub.people, step, then_killed(getattr(front.hub.people, step)))
        with pytest.raises(KeyboardInterrupt):
            front.sync()
    front.restart()
    settle(front, garage)
    assert front.names() == garage.names() == ({"Anna": 4} if step == "put" else {})
    assert len(front.state.people) == len(garage.state.people) == (1 if step == "put" else 0)
    assert not front.hub.removals.open()


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def then_killed(call):
    def done(*arguments):
        call(*arguments)
        raise KeyboardInterrupt

    return done


def test_a_database_put_back_without_a_person_is_no_removal(front, garage):
    front.store.add_person("Anna", grace())
    settle(front, garage)
    from facesecure.storage.database import Database  # noqa: F401

    with garage.store._database.write() as session:
        from facesecure.storage.tables import PersonRow

        session.delete(session.query(PersonRow).one())
    garage.restart()
    settle(garage, front)
    assert front.names() == garage.names() == {"Anna": 4}


def test_a_hub_put_back_from_a_backup_gets_what_it_lost_and_nobody_who_was_removed(estate, front, garage):
    front.store.add_person("Anna", grace())
    settle(front, garage)
    for door in (front, garage):
        door.hub.database.close()
    old = (estate.folder / "hub.db").read_bytes()
    front.store.add_person("Cleo", eileen())
    front.rename("Anna", "Annie")
    settle(front, garage)
    front.rename("Annie", "Ann")
    settle(front, garage)
    garage.forget("Ann")
    settle(garage, front)
    for door in (front, garage):
        door.hub.database.close()
    (estate.folder / "hub.db").write_bytes(old)
    settle(front, garage)
    assert front.names() == garage.names() == {"Cleo": 1}


def test_a_damaged_face_is_noted_and_holds_up_nobody_else(front, garage):
    for name, faces in (("Anna", grace()[:2]), ("Cleo", eileen())):
        front.store.add_person(name, faces)
    settle(front, garage)
    damaged = front.store.face_numbers("Anna")[0]
    with front.store._database.write() as session:
        session.execute(text("UPDATE faces SET crop_png = zeroblob(60) WHERE id = :id"), {"id": damaged})
    front.store.add_person("Anna", grace()[2:])
    front.rename("Cleo", "Clea")
    assign(front.state_dir, front.uid("Anna"), [])
    settle(front, garage)
    assert garage.names() == {"Clea": 1}
    assert any(f"face number {damaged} cannot be read" in note for note in front.state.notes())
    assign(front.state_dir, front.uid("Anna"), None)
    front.store.remove_face(damaged)
    settle(front, garage)
    assert garage.names() == {"Anna": 3, "Clea": 1}
    assert not front.state.notes()


@pytest.mark.parametrize("error", [MemoryError, StoreError("no page")])
def test_what_fails_at_this_door_for_a_moment_is_taken_in_later_and_written_over_by_nobody(
    front, garage, monkeypatch, error
):
    steady = [0.0]
    front.store.add_person("Anna", grace()[:2])
    front.sync()
    garage.restart(lambda: steady[0])
    garage.sync()
    front.rename("Anna", "Annie")
    front.store.add_person("Annie", grace()[2:3])
    front.store.add_person("Cleo", eileen())
    front.sync()
    garage.store.add_person("Anna", grace()[3:])
    with monkeypatch.context() as patched:
        patched.setattr(garage.local, "_lend", failing(error))
        for _ in range(2):
            garage.sync()
            front.sync()
    garage.sync()
    assert (garage.names(), front.names()) == ({"Anna": 3}, {"Annie": 3, "Cleo": 1})
    steady[0] = 301.0
    settle(garage, front)
    assert garage.names() == front.names() == {"Annie": 4, "Cleo": 1}
    assert not garage.state.refused
    assert not garage.state.notes()


def failing(error):
    def fail():
        raise error

    return fail


@pytest.mark.parametrize("edited", [False, True])
def test_a_door_that_was_away_notices_that_the_hub_was_put_back_although_it_has_grown_since(
    estate, front, garage, edited
):
    front.store.add_person("Anna", grace()[:2])
    settle(front, garage)
    front.hub.database.close()
    old = (estate.folder / "hub.db").read_bytes()
    with garage.hub.database.begin() as connection:
        connection.execute(text("UPDATE revisions SET value = value + 20"))
    garage.rename("Anna", "Annie")
    settle(garage)
    lost, version = garage.state.cursor, garage.state.people[garage.shared("Annie")].version
    garage.hub.database.close()
    (estate.folder / "hub.db").write_bytes(old)
    if edited:
        front.rename("Anna", "Ann")  # under the same version
    front.store.add_person("Cleo", eileen())
    front.sync()
    assert front.state.people[front.shared("Ann" if edited else "Anna")].version == version - (not edited)
    assert front.state.cursor <= lost
    with front.hub.database.begin() as connection:
        connection.execute(text("UPDATE revisions SET value = value + 100"))
    garage.restart()
    settle(garage, front)
    assert garage.names() == front.names() == {"Ann" if edited else "Annie": 2, "Cleo": 1}
    cursor = garage.state.cursor
    settle(garage, front)
    assert garage.state.cursor == cursor


def test_people_are_assigned_to_doors_taken_back_and_given_again(estate, front, garage):
    flat = estate.add("flat", household="upstairs")
    front.store.add_person("Anna", grace())
    settle(front, garage, flat)
    assert (garage.names(), flat.names()) == ({"Anna": 4}, {})
    key = front.state.people[front.shared("Anna")].key
    assign(front.state_dir, front.uid("Anna"), ["flat"])
    settle(front, garage, flat)
    assert (front.names(), garage.names(), flat.names()) == ({"Anna": 4}, {}, {"Anna": 4})
    assert front.state.people[front.shared("Anna")].key.secret != key.secret
    assert not front.hub.removals.open()
    shown = assigned(front.state_dir, front.uid("Anna"))
    assert (shown.all, shown.doors) == (False, ("flat",))
    flat.rename("Anna", "Neighbour")  # only at that door
    assign(front.state_dir, front.uid("Anna"), None)
    settle(front, garage, flat)
    assert (front.names(), garage.names(), flat.names()) == ({"Anna": 4}, {"Anna": 4}, {})
    assigner = HubAssigner(front.state_dir)
    assert assigner.doors_of(front.uid("Anna")) == PersonDoors(True, (
        PersonDoor(garage.door, "garage", True, True), PersonDoor(flat.door, "flat", False, False),
    ))  # fmt: skip
    with pytest.raises(UsageError, match="no door"):
        assigner.assign(front.uid("Anna"), ["c" * 32])
    assert HubAssigner(garage.state_dir).doors_of(garage.uid("Anna")).fixed == ""
    assigner.assign(front.uid("Anna"), [])
    assert [one.knows for one in assigner.doors_of(front.uid("Anna")).doors] == [False, False]
    settle(front, garage)
    assert (front.names(), garage.names()) == ({"Anna": 4}, {})


def test_after_a_door_is_shut_out_people_have_other_keys_and_a_new_door_learns_them(estate, front, garage):
    front.store.add_person("Anna", grace())
    settle(front, garage)
    garage.store.add_person("Cleo", eileen())
    settle(front, garage)
    before = {entry.name: entry.key.secret for entry in front.state.people.values()}
    estate.shut_out(garage)
    shed = estate.add("shed")
    settle(front, shed)
    after = {entry.name: entry.key.secret for entry in front.state.people.values()}
    assert before.keys() == after.keys() == {"Anna", "Cleo"}
    assert not set(before.values()) & set(after.values())
    assert shed.names() == {"Anna": 4, "Cleo": 1}


def test_a_door_without_the_right_knows_people_but_changes_them_for_itself_only(estate, front):
    gate = estate.add("gate", rights=frozenset({Right.ARM}))
    front.store.add_person("Anna", grace())
    gate.store.add_person("Cleo", eileen())
    settle(front, gate)
    assert (front.names(), gate.names()) == ({"Anna": 4}, {"Anna": 4, "Cleo": 1})
    gate.forget("Anna")
    settle(gate, front)
    assert (front.names(), gate.names()) == ({"Anna": 4}, {"Cleo": 1})


def test_a_person_of_a_door_that_is_not_known_yet_is_taken_in_as_soon_as_it_is(estate, front):
    front.sync()
    shed = estate.add("shed")
    shed.store.add_person("Anna", grace())
    shed.sync()
    front.people.share(front.hub)  # before it has learnt of the shed
    assert front.names() == {}
    front.sync()
    assert front.names() == {"Anna": 4}


def test_what_somebody_wrote_over_a_person_is_written_anew_with_the_next_change(front, garage):
    front.store.add_person("Anna", grace()[:2])
    settle(front, garage)
    with front.hub.database.begin() as connection:
        connection.execute(text("UPDATE people SET version = version + 1, signature = zeroblob(64)"))
    settle(front, garage)
    front.store.add_person("Anna", grace()[2:])
    settle(front, garage)
    assert garage.names() == {"Anna": 4}
