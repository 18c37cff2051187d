"""Marked faces that doors share: marked, taken back, and waiting for a person, at two doors of one hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from facesecure.hub.rows import Right
from facesecure.services.visitors import forget_visitor
from support.bundled_model import models
from support.hub_people import grace
from support.hub_records import RecordDoor, RecordEstate, settle
from support.store import known
from support.visitors import CHOOSE, known_to, visit


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


def marked(door: RecordDoor) -> list[str]:
    """The people for whom a face is marked here, as this door's own model knows it."""
    return sorted(one.name for one in door.store.hard_negatives(models().embedder.sha256))


def taken_for_grace(door: RecordDoor) -> None:
    """Record a visit that is taken for Grace, and correct it."""
    visit(door.store, "g1", 1, verdict=known("Grace"))
    door.store.corrections.not_known("g1", "Grace", CHOOSE)


def test_a_face_marked_at_one_door_counts_at_the_other_until_it_is_taken_back(
    front: RecordDoor, gate: RecordDoor
) -> None:
    gate.store.add_person("Grace", grace()[:2])
    settle(gate, front)
    taken_for_grace(gate)
    settle(gate, front)
    assert marked(front) == ["Grace"]
    assert [one.marked for one in front.store.visitors.all()] == [True]
    assert front.uids().keys() == {1}
    front.restart()
    settle(front, gate)
    assert len(front.store.marked_strangers(models().embedder.sha256)) == 3
    gate.store.corrections.known("g1", "Otto", known_to(1))
    settle(gate, front)
    assert marked(front) == []
    assert front.store.visitors.all() == []


def test_what_was_marked_goes_with_its_visitor_or_person(front: RecordDoor, gate: RecordDoor) -> None:
    gate.store.add_person("Grace", grace()[:2])
    settle(gate, front)
    taken_for_grace(gate)
    settle(gate, front)
    assert marked(front) == ["Grace"]
    forget_visitor(front.store, front.store.visitors.all()[0].identifier)
    settle(front, gate)
    assert marked(front) == marked(gate) == []
    assert gate.store.shared_visitors.marks.own(9, 9) == []
    assert not any(row.document for row in front.hub.records.after(0) if row.kind == "marked")


def test_a_mark_waits_for_its_person_and_needs_the_right(estate: RecordEstate, front: RecordDoor) -> None:
    gate, guest = estate.add("gate"), estate.add("guest", rights=frozenset({Right.VIEW}))
    gate.store.add_person("Grace", grace()[:2])
    settle(gate, guest)
    for door in (gate, guest):
        taken_for_grace(door)
    for door in (gate, guest):
        door.sync()
    people, front.inner.people.share = front.inner.people.share, lambda hub: None  # type: ignore[method-assign]
    front.sync()
    assert marked(front) == []
    front.inner.people.share = people  # type: ignore[method-assign]
    settle(front)
    assert marked(front) == ["Grace"]
    assert front.store.shared_visitors.marks.taken(guest.door) == {}
