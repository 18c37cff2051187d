"""Visitors, marked faces and calibration of three doors and a neighbour, at a real PostgreSQL and without it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from facesecure.domain.errors import HubError
from facesecure.hub.access import store_of
from facesecure.hub.rows import RecordKind
from facesecure.hub.sync.visitor_document import VisitorDocument
from facesecure.recognition.calibration import Calibration
from facesecure.services.visitors import forget_visitor
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.store import Store
from support.bundled_model import models
from support.hub_calibration import calibrate
from support.hub_estate import CONFIG, RealHub
from support.hub_people import SharingDoor, grace
from support.hub_records import RecordDoor, settle
from support.postgres.server import made_server
from support.store import known
from support.visitors import CHOOSE, visit

pytestmark = pytest.mark.slow


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RealHub]:
    with made_server() as server:
        yield RealHub(server, tmp_path)


@pytest.fixture
def doors(hub: RealHub) -> Iterator[list[RecordDoor]]:
    """The front, the gate, the shed, and a door of the neighbours."""
    folders = [hub.manager, hub.add("gate"), hub.add("shed"), hub.add("flat", household="neighbours")]
    made = list[RecordDoor]()
    for folder in folders:
        identity = hub.identity(folder)
        inner = SharingDoor(folder, identity, Store.open(folder), store_of(identity, CONFIG, folder))
        made.append(RecordDoor(inner))
    yield made
    for one in made:
        one.store.close()
        one.hub.database.close()


def test_doors_know_one_anothers_visitors_also_after_a_time_without_the_hub(
    hub: RealHub, doors: list[RecordDoor]
) -> None:
    front, gate, shed, flat = doors
    front.store.add_person("Grace", grace())
    visit(gate.store, "g1", 1)
    visit(gate.store, "g2", 3, verdict=known("Grace"))
    settle(front, gate, shed)
    gate.store.corrections.not_known("g2", "Grace", CHOOSE)
    calibrate(front)
    settle(gate, front, shed)
    assert front.elsewhere() == {1: [("gate", 1)], 2: [("gate", 1)]}
    assert [one.name for one in front.store.hard_negatives(models().embedder.sha256)] == ["Grace"]
    used = Calibration.load(SignedDocuments(shed.store.state_dir))
    assert used is not None
    assert used.door == "front"

    hub.server.kill()
    for door in doors:
        door.hub.database.close()
        with pytest.raises(HubError):
            door.sync()
    visit(front.store, "f1", 1, 1)
    visit(shed.store, "s1", 1, 2)
    visit(shed.store, "s2", 2)
    forget_visitor(front.store, 2)
    hub.server.start()
    for door in doors:
        door.restart()
    settle(front, gate, shed)
    assert gate.elsewhere() == {1: [("front", 1), ("shed", 1)], 3: [("shed", 1)]}
    assert len(set(front.uids().values()) ^ set(shed.uids().values())) == 0
    assert [one.name for one in shed.store.hard_negatives(models().embedder.sha256)] == []

    shed.hub.database.close()  # cut off, with what it said of the visitor still at the hub
    forget_visitor(gate.store, 1)
    settle(gate, front)
    gone = front.store.shared_visitors.gone()
    assert len(gone) == 2
    for row in front.hub.records.after(0):
        plain = front.household.documents.open_record(row) if row.kind is RecordKind.VISITOR else None
        document = VisitorDocument.decode(plain, row.identifier[33:], datetime.now(UTC)) if plain else VisitorDocument()
        assert not {part.uid for part in document.parts} & gone.keys()
    settle(shed, gate, front)
    assert [one.visits for one in shed.store.visitors.all()] == [1]
    assert flat.hub.records.after(0) == ()
    flat.sync()
    assert flat.store.visitors.all() == []
