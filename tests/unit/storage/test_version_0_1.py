"""A state directory that version 0.1.0 wrote, before the packages were moved, opens and says what it said then."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from facesecure.domain import VerdictKind
from facesecure.domain.deliveries import DeliveryState
from facesecure.storage.store import Store
from support.store import MODEL

DUMP = Path(__file__).parents[2] / "support" / "databases" / "version_0_1.sql"
"""Dumped by sqlite3 from a database of revision 0005, with faces of one colour each; its key is KEY."""
KEY = "facesecure-key-1:6ZzOrsPsa7Km24/AZAP9mu36Kva+TSnDeqBHe92dU0A="
WRITTEN_WITH = "f" * 64


@pytest.fixture
def store(state_dir: Path) -> Store:
    state_dir.mkdir()
    (state_dir / "key").write_text(KEY + "\n")
    (state_dir / "key").chmod(0o600)
    with closing(sqlite3.connect(state_dir / "facesecure.db")) as connection:
        connection.executescript(DUMP.read_text())
    with Store.open(state_dir) as opened:
        yield opened


def test_its_people_are_known_by_their_faces(store: Store) -> None:
    assert [(person.name, person.faces) for person in store.people()] == [("Eve", 2), ("Tom", 3)]
    assert [int(face.image[0, 0, 0]) for face in store.faces_of("Tom")] == [40, 41, 42]
    templates = store.templates(WRITTEN_WITH)
    assert {template.name for template in templates} == {"Eve", "Tom"}
    assert store.templates(MODEL) == []


def test_its_sightings_tell_the_same(store: Store) -> None:
    sightings = {sighting.identifier[0]: sighting for sighting in store.each_sighting()}
    assert len(sightings) == 5
    assert (sightings["1"].name, sightings["1"].verdict.score) == ("Tom", 0.91)
    assert sightings["5"].verdict.why == "something moved for 5 s and showed no face"
    corrected = sightings["4"]
    assert (corrected.verdict.name, corrected.kind) == ("Eve", VerdictKind.STRANGER)
    assert corrected.correction is not None


def test_its_visitors_and_marked_faces_are_there(store: Store) -> None:
    visitors = {visitor.identifier: (visitor.visits, visitor.marked) for visitor in store.visitors.all()}
    assert visitors == {1: (2, False), 2: (1, True)}
    assert [int(face.seen.face.image[0, 0, 0]) for face in store.faces_seen("1" * 32)] == [101]
    assert len(store.marked_strangers(WRITTEN_WITH)) == 1


def test_its_outbox_goes_on_where_it_stopped(store: Store) -> None:
    (pending,) = store.outbox.pending()
    assert pending.alert.text == "A stranger is at the front door"
    assert pending.alert.sighting is not None
    assert pending.alert.sighting.verdict.evidence == -20.0
    (alert,) = store.outbox.history()
    assert {one.channel: one.status.state for one in alert.deliveries} == {
        "log": DeliveryState.DELIVERED,
        "speaker": DeliveryState.PENDING,
    }


def test_a_person_of_it_can_be_renamed_and_removed(store: Store) -> None:
    store.rename_person("Tom", "Thomas")
    assert store.sighting("1" * 32).verdict.name == "Thomas"
    store.remove_person("Thomas")
    assert [person.name for person in store.people()] == ["Eve"]
