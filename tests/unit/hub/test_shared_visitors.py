"""Visitors that doors share: recognised, named, merged and forgotten at two and three doors of one hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.domain import VerdictKind
from facesecure.hub.rows import RecordKind, Right
from facesecure.hub.sync.assigning import assign
from facesecure.services.visitors import forget_visitor, merge_visitors
from support.hub_people import grace
from support.hub_records import RecordDoor, RecordEstate, settle
from support.visitors import visit


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[RecordEstate]:
    made = RecordEstate(tmp_path)
    yield made
    made.close()


@pytest.fixture
def front(estate: RecordEstate) -> RecordDoor:
    return estate.add("front")


@pytest.fixture
def gate(estate: RecordEstate, front: RecordDoor) -> RecordDoor:
    return estate.add("gate")


def at_hub(door: RecordDoor) -> list[bytes]:
    """What the hub holds of visitors, in the clear."""
    rows = [row for row in door.hub.records.after(0) if row.kind is RecordKind.VISITOR and row.document is not None]
    return [door.household.documents.open_record(row) or b"" for row in rows]


def test_a_stranger_seen_at_one_door_is_the_same_visitor_at_the_other(front: RecordDoor, gate: RecordDoor) -> None:
    visit(gate.store, "g1", 1)
    visit(gate.store, "g2", 1, 1)
    settle(gate, front)
    assert front.elsewhere() == {1: [("gate", 2)]}
    assert visit(front.store, "f1", 2) == 2
    assert visit(front.store, "f2", 1, 2) == 1
    settle(front, gate)
    assert gate.elsewhere() == {1: [("front", 1)], 2: [("front", 1)]}
    assert front.uids().items() == gate.uids().items()
    assert [one.identifier for one in front.store.visitors.all(named=False)] == [2, 1]
    assert [one.identifier for one in gate.store.visitors.all(named=False)] == [1]


def test_what_both_doors_saw_while_cut_off_becomes_one_visitor(front: RecordDoor, gate: RecordDoor) -> None:
    for number in range(3):
        visit(front.store, f"f{number}", 1, number)
        visit(gate.store, f"g{number}", 1, 10 + number)
    visit(gate.store, "other", 2)
    settle(front, gate)
    assert front.uids()[1] == gate.uids()[1]
    assert front.elsewhere()[1] == [("gate", 3)]
    assert gate.elsewhere() == {1: [("front", 3)], 2: []}
    rows = {(row.identifier, row.version) for row in front.hub.records.after(0)}
    settle(front, gate)
    for door in (front, gate):
        door.restart()
    settle(front, gate)
    assert {(row.identifier, row.version) for row in front.hub.records.after(0)} == rows, "there was nothing to say"


def test_whom_one_door_forgets_is_gone_everywhere_also_where_it_was_cut_off(
    estate: RecordEstate, front: RecordDoor, gate: RecordDoor
) -> None:
    shed = estate.add("shed")
    visit(gate.store, "g1", 1)
    settle(gate, front, shed)
    visit(front.store, "f1", 1, 1)
    visit(shed.store, "s1", 1, 2)
    settle(front, shed, gate)
    visit(shed.store, "s2", 1, 3)  # it is cut off from here on
    forget_visitor(front.store, 1)
    settle(front, gate)
    assert front.store.visitors.all() == gate.store.visitors.all() == []
    assert not gate.store.faces_seen("g1")
    assert not any(b"embedding" in plain for plain in at_hub(front)), "not even what the shed had said"
    for door in (front, gate, shed):
        door.restart()
    settle(shed, front, gate)
    assert front.store.visitors.all() == gate.store.visitors.all() == shed.store.visitors.all() == []
    assert not any(b"embedding" in plain for plain in at_hub(front))
    assert visit(shed.store, "s3", 1, 4) == 2, "who comes again is somebody new"
    settle(shed, front)
    assert list(front.elsewhere().values()) == [[("shed", 1)]]


def test_a_forgotten_visitor_does_not_come_back_with_an_old_backup_of_a_door(
    front: RecordDoor, gate: RecordDoor
) -> None:
    visit(gate.store, "g1", 1)
    settle(gate, front)
    forget_visitor(front.store, 1)
    settle(front, gate)
    with front.store._database.write() as session:  # as a database from before
        session.connection().exec_driver_sql("DELETE FROM forgotten")
    front.restart()
    visit(gate.store, "g2", 2)
    settle(front, gate)
    assert len(front.store.shared_visitors.gone()) == 1


def test_who_is_named_at_one_door_is_named_at_the_other(front: RecordDoor, gate: RecordDoor) -> None:
    visit(gate.store, "g1", 1)
    settle(gate, front)
    visit(front.store, "f1", 1, 1)
    settle(front, gate)
    front.store.visitors.name(1, "Grace", grace()[:2])
    settle(front, gate)
    assert [(one.name, one.visits) for one in gate.store.visitors.all()] == [("Grace", 1)]
    assert (gate.store.sighting("g1").kind, gate.store.sighting("g1").name) == (VerdictKind.KNOWN, "Grace")
    assert not any(b"embedding" in plain for plain in at_hub(front))
    gate.inner.forget("Grace")
    settle(gate, front)
    assert front.store.visitors.all() == gate.store.visitors.all() == []


def test_who_was_named_at_a_door_that_does_not_share_the_person_is_a_stranger_here(
    front: RecordDoor, gate: RecordDoor
) -> None:
    visit(gate.store, "g1", 1)
    settle(gate, front)
    visit(front.store, "f1", 1, 1)
    settle(front, gate)
    gate.store.visitors.name(1, "Grace", grace()[:2])
    assign(gate.inner.state_dir, gate.inner.uid("Grace"), [])
    settle(gate, front)
    assert [(one.name, one.visits) for one in front.store.visitors.all()] == [(None, 1)]
    assert visit(front.store, "f2", 1, 2) == 1


def test_visitors_merged_at_one_door_are_one_at_the_other(front: RecordDoor, gate: RecordDoor) -> None:
    for person in (1, 2):
        visit(gate.store, f"g{person}", person)
    settle(gate, front)
    visit(front.store, "f2", 2, 1)
    merge_visitors(front.store, 1, 2)
    settle(front, gate)
    assert [one.visits for one in gate.store.visitors.all()] == [2]
    assert list(gate.elsewhere().values()) == [[("front", 1)]]
    assert len(front.store.visitors.all()) == 1
    assert set(front.uids().values()) == set(gate.uids().values())


def test_a_door_without_the_right_forgets_and_names_for_itself(estate: RecordEstate, front: RecordDoor) -> None:
    guest = estate.add("guest", rights=frozenset({Right.VIEW}))
    visit(front.store, "f1", 1)
    settle(front, guest)
    visit(guest.store, "g1", 1, 1)
    settle(guest, front)
    assert front.elsewhere() == {1: [("guest", 1)]}
    forget_visitor(guest.store, 1)
    settle(guest, front)
    assert guest.store.visitors.all() == []
    assert front.elsewhere() == {1: []}
    assert front.store.faces_seen("f1")


@pytest.mark.parametrize("grown", [0, 1000])
def test_a_hub_that_was_put_back_gets_what_it_lost(front: RecordDoor, gate: RecordDoor, grown: int) -> None:
    visit(gate.store, "g1", 1)
    settle(gate, front)
    with gate.hub.database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM records")
        connection.exec_driver_sql(f"UPDATE revisions SET value = {grown}")
    visit(front.store, "f2", 2)
    settle(gate, front)
    assert gate.elsewhere() == {1: [], 2: [("front", 1)]}
    assert front.elsewhere()[1] == [("gate", 1)]
    assert {row.author for row in front.hub.records.after(0)} == {front.door, gate.door}


def test_looks_survive_a_new_key(front: RecordDoor, gate: RecordDoor) -> None:
    visit(gate.store, "g1", 1)
    settle(gate, front)
    front.store.rotate_key()
    assert visit(front.store, "f1", 1, 1) == 1
