"""The calibration that doors share: the newest for the same model, where it fits the people as they are enrolled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from facesecure.hub.rows import Right
from facesecure.hub.sync.calibration_document import Shared, decoded, encoded, named
from facesecure.recognition.calibration import Calibration
from facesecure.recognition.thresholds import Fit, by_name
from facesecure.storage.signed_documents import SignedDocuments
from support.builders import NOON
from support.hub_calibration import calibrate
from support.hub_people import eileen, grace
from support.hub_records import RecordDoor, RecordEstate, settle

LATER = NOON + timedelta(days=1)


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
    front.store.add_person("Grace", grace())
    front.store.add_person("Eileen", eileen())
    made = estate.add("gate")
    settle(front, made)
    return made


def used(door: RecordDoor) -> Calibration | None:
    return Calibration.load(SignedDocuments(door.store.state_dir))


def test_the_newest_calibration_of_the_household_is_used_and_says_where_it_was_made(
    front: RecordDoor, gate: RecordDoor
) -> None:
    made = calibrate(front)
    settle(front, gate)
    found = used(gate)
    assert found is not None
    assert (found.door, found.made_at) == ("front", NOON)
    assert {one.impostor for one in found.people.values()} == {one.impostor for one in made.people.values()}
    templates = by_name(gate.store.templates(), found.model_sha256)
    assert Fit.of(found, templates, found.model_sha256).calibrated == ("Eileen", "Grace")
    assert "door front" in (gate.store.state_dir / "audit.jsonl").read_text()
    calibrate(gate, LATER)
    settle(gate, front)
    assert (used(front).door, used(gate).door) == ("gate", "")  # type: ignore[union-attr]
    calibrate(front, NOON)  # by hand, at a door whose clock is slow
    settle(front, gate)
    assert used(front).door == "gate"  # type: ignore[union-attr]


def test_a_damaged_face_keeps_only_its_person_from_being_shared(front: RecordDoor, gate: RecordDoor) -> None:
    calibrate(front)
    damaged = {"id": front.store.face_numbers("Grace")[0]}
    with front.store._database.write() as session:
        session.execute(text("UPDATE faces SET crop_png = zeroblob(60) WHERE id = :id"), damaged)
    settle(front, gate)
    found = used(gate)
    assert found is not None
    assert set(found.people) == {"Eileen"}


def test_what_does_not_fit_is_not_used(estate: RecordEstate, front: RecordDoor, gate: RecordDoor) -> None:
    guest = estate.add("guest", rights=frozenset({Right.VIEW}))
    settle(guest)
    calibrate(front, model_sha256="b" * 64)
    calibrate(guest)
    settle(front, guest, gate)
    assert used(gate) is None
    calibrate(front, false_accept=1 / 100)
    settle(front, gate)
    assert used(gate) is None
    calibrate(front)
    gate.store.remove_person("Grace")
    gate.store.remove_person("Eileen")
    settle(gate, front)
    assert used(gate) is None


def test_a_calibration_of_another_door_is_dropped_with_its_model(front: RecordDoor, gate: RecordDoor) -> None:
    calibrate(front)
    settle(front, gate)
    found = used(gate)
    assert found is not None
    found.model_copy(update={"model_sha256": "b" * 64}).save(SignedDocuments(gate.store.state_dir))
    gate.calibration._offers.clear()
    gate.sync()
    assert used(gate) is None


def test_a_document_has_no_names_and_gives_the_same_numbers(front: RecordDoor) -> None:
    front.store.add_person("Grace", grace())
    front.store.add_person("Eileen", eileen())
    made = calibrate(front)
    people = {"Grace": Shared("1" * 32, "crops of G"), "Eileen": Shared("2" * 32, "crops of E")}
    plain = encoded(made, people)
    assert b"Grace" not in plain
    assert b"Eileen" not in plain
    prints = {name: one.fingerprint for name, one in made.people.items()}
    assert named(decoded(plain, LATER), people, prints).people == made.people
    alone = named(decoded(encoded(made, {"Grace": people["Grace"]}), LATER), people, prints)
    assert alone.people.keys() == {"Grace"}
    assert "Eileen" not in alone.model_dump_json()
