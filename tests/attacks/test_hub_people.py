"""A door that lies, or whoever can write the hub's database, about people: nothing of it gets in."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures
from sqlalchemy import insert, text

from facesecure.hub.rows import Right
from facesecure.hub.sealing import SIZES, DataKey
from facesecure.hub.sync.person_document import PersonDocument, face_id, shared_face
from facesecure.hub.tables import removals
from support.faults.table import attack
from support.hub_people import SharingDoor, SharingEstate, eileen, grace, settle

pytest_plugins = ["support.hub_people_fixtures"]

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def liar(estate: SharingEstate, front: SharingDoor) -> SharingDoor:
    return estate.add("liar")


def document(name: str = "Mallory") -> PersonDocument:
    return PersonDocument(name, 1.0, {face_id(face.image): shared_face(face) for face in eileen()})


def lie(door: SharingDoor, plain: bytes, *to: SharingDoor, version: int = 1, identifier: str = "") -> str:
    """Put a person as ``door``, as no honest daemon does; return their identifier."""
    identifier, key = identifier or secrets.token_hex(16), DataKey.made()
    row = door.documents.person(identifier, version, plain, key)
    keys = door.documents.keys_for(identifier, key, [one.identity.own() for one in (door, *to)])
    assert door.hub.people.put(row, keys, version - 1) is not None
    return identifier


def changed(change: Change) -> bytes:
    found = json.loads(document().encode())
    change(found)
    return json.dumps(found).encode()


def png(width: int, height: int) -> str:
    file = BytesIO()
    Pictures.fromarray(np.zeros((height, width, 3), np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


ABSURD: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"\x00\xff" * 100,
    "a deep one": b"[" * 100_000,
    "a list": b"[]",
    "a newer format": changed(lambda one: one.update(format=2)),
    "another member": changed(lambda one: one.update(role="owner")),
    "no face": changed(lambda one: one.update(faces=[])),
    "more faces than are shared": changed(lambda one: one.update(faces=one["faces"] * 65)),
    "no name": changed(lambda one: one.update(name="")),
    "a path for a name": changed(lambda one: one.update(name="../../etc")),
    "a long name": changed(lambda one: one.update(name="a" * 5000)),
    "a name of two lines": changed(lambda one: one.update(name="a\nb")),
    "a name that is not written so": changed(lambda one: one.update(name=" Anna  B ")),
    "a time that is none": changed(lambda one: one.update(named_at=1e300)),
    "doors that are none": changed(lambda one: one.update(doors=["'; DROP TABLE people"])),
    "a giant crop": changed(lambda one: one["faces"][0].update(crop=png(3000, 3000))),
    "a wide crop": changed(lambda one: one["faces"][0].update(crop=png(113, 112))),
    "a crop that is none": changed(lambda one: one["faces"][0].update(crop=base64.b64encode(b"GIF89a").decode())),
    "a crop that is no text": changed(lambda one: one["faces"][0].update(crop="????")),
    "a quality beyond all": changed(lambda one: one["faces"][0]["quality"].update(clarity=7)),
    "a black face": changed(lambda one: one["faces"][0].update(crop=png(112, 112))),
}


@attack(
    "hub: a door shares people who are none",
    how="documents that are no JSON, too deep, too large, of a newer form; names, pictures and times that cannot be",
)
def test_absurd_documents_are_left_out_and_hold_up_nobody(front, liar, saw):
    front.sync()
    liar.sync()
    for plain in ABSURD.values():
        lie(liar, plain, front)
    front.sync()
    assert front.names() == {}
    liar.store.add_person("Grace", grace())
    settle(liar, front)
    assert front.names() == {"Grace": 4}
    assert (front.state_dir / "facesecure.db").stat().st_size < 20e6
    saw(f"{len(ABSURD)} of {len(ABSURD)} left out; the person shared after them is known")


@attack(
    "hub: a door shares a name that looks like another",
    how="the name of somebody known, with a character that cannot be seen",
)
def test_names_that_look_alike_are_told_apart(front, liar, saw):
    front.store.add_person("Paul", grace())
    front.sync()
    liar.known.learn(liar.hub)
    lie(liar, document("Pa\u200dul").encode(), front)  # a character that cannot be seen
    front.sync()
    assert sorted(front.names()) == ["Paul", "Pa\u200dul (liar)"]
    saw("the two stay apart: the name from the other door has the door's name behind it")


@attack(
    "hub: a door without the right changes people",
    how="a new person, another version of one who is known, an order to remove them",
)
@pytest.mark.parametrize("rights", [frozenset(), frozenset({Right.ARM, Right.VIEW})])
def test_a_door_without_the_right_adds_changes_and_removes_nobody(estate, front, liar, rights, saw):
    weak = estate.add(f"weak {len(rights)}", rights=rights)
    front.store.add_person("Grace", grace())
    settle(front, weak)
    grace_id, entry = front.shared("Grace"), front.state.people[front.shared("Grace")]
    lie(weak, document().encode(), front)
    lie(weak, document("Grace").encode(), front, version=entry.version + 1, identifier=grace_id)
    command(weak, insert(removals).values(**order(weak, grace_id, 50, front)))
    front.sync()
    assert front.names() == {"Grace": 4}
    assert [one.person for one in front.hub.removals.mine()] == [grace_id]  # and it stays open
    saw("nobody is added, changed or removed; the order stays open")


def order(door: SharingDoor, person: str, version: int, to: SharingDoor) -> dict[str, Any]:
    own = door.identity.own()
    signature = door.documents.tombstone(person, version)
    return {
        "person": person, "door": to.door, "household": own.household, "version": version, "ordered_by": door.door,
        "signature": signature, "ordered_at": door.hub.doors.now(),
    }  # fmt: skip


def command(door: SharingDoor, statement: Any) -> None:
    with door.hub.database.begin() as connection:
        connection.execute(statement)


@attack(
    "hub: orders to remove a person are forged",
    how="a signature that is none, the order of another household, one that is older than the person",
)
def test_orders_that_are_forged_old_or_of_another_household_are_not_obeyed(estate, front, liar, saw):
    stranger = estate.add("stranger", household="elsewhere")
    front.store.add_person("Grace", grace())
    settle(front, liar, stranger)
    person = front.shared("Grace")
    version = front.state.people[person].version
    forged = {**order(liar, person, 60, front), "signature": b"s" * 64}
    others = {**order(stranger, person, 60, front), "household": front.identity.own().household}
    for one in (forged, others, order(stranger, person, 60, front), order(liar, person, version, front)):
        command(front, insert(removals).values(**one))
        front.sync()
        assert front.names() == {"Grace": 4}
        assert len(front.hub.removals.mine()) == 1
        command(front, removals.delete())
    command(front, insert(removals).values(**order(liar, person, version + 1, front)))
    front.sync()
    assert front.names() == {}
    assert front.hub.removals.mine() == ()
    saw("4 of 4 not obeyed, and they stay open; a genuine one is obeyed")


@attack(
    "hub: whoever writes its database changes people",
    how="another version, signature, document, household or author; a removal",
)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE people SET version = version + 1",
        "UPDATE people SET version = version + 1, signature = zeroblob(64)",
        f"UPDATE people SET version = version + 1, document = zeroblob({SIZES[3]})",
        "UPDATE people SET version = version + 1, household = 'ffffffffffffffffffffffffffffffff'",
        "UPDATE people SET version = version + 1, document = NULL, removed_at = '2026-01-01 00:00:00.000000'",
        "UPDATE people SET version = version + 1, author = 'ffffffffffffffffffffffffffffffff'",
    ],
)
def test_who_writes_the_database_changes_and_removes_nobody(tmp_path, change, saw):
    estate = SharingEstate(tmp_path)
    front, garage = estate.add("front"), estate.add("garage")
    front.store.add_person("Grace", grace()[:2])
    settle(front, garage)
    command(front, text(change))
    command(front, text("UPDATE person_keys SET revision = revision + 100000"))
    command(front, text("UPDATE revisions SET value = value + 100000"))
    garage.sync()
    assert garage.names() == {"Grace": 2}
    assert any("left out" in note for note in garage.state.notes())
    saw("the change is left out and told; the person stays as they were")
    estate.close()


@attack(
    "hub: another household's door shares a person",
    how="a door of the estate that may enrol, and one that may share",
)
def test_a_person_of_another_household_is_taken_in_only_from_a_door_that_may_share(tmp_path, saw):
    estate = SharingEstate(tmp_path)
    front = estate.add("front")
    flat = estate.add("flat", household="upstairs", rights=frozenset({Right.ENROL}))
    entrance = estate.add("entrance", household="upstairs", rights=frozenset({Right.ENROL, Right.SHARE}))
    for door in (front, flat, entrance):
        door.known.learn(door.hub)
    lie(flat, document("Eve").encode(), front)
    front.sync()
    assert front.names() == {}
    lie(entrance, document("Cleo").encode(), front)
    front.sync()
    assert front.names() == {"Cleo": 1}
    saw("only the door that may share is believed")
    estate.close()


@attack("hub: a person's older document is put back", how="the row as it was before a face was removed")
def test_an_older_document_that_is_put_back_does_not_bring_a_face_back(tmp_path: Path, saw):
    estate = SharingEstate(tmp_path)
    front, garage = estate.add("front"), estate.add("garage")
    front.store.add_person("Grace", grace())
    settle(front, garage)
    with front.hub.database.begin() as connection:
        old = dict(connection.execute(text("SELECT version, document, signature FROM people")).mappings().one())
    front.store.remove_face(front.store.face_numbers("Grace")[0])
    settle(front, garage)
    command(
        front,
        text("UPDATE people SET version = :version, document = :document, signature = :signature").bindparams(**old),
    )
    command(front, text("UPDATE person_keys SET revision = revision + 100000"))
    command(front, text("UPDATE revisions SET value = value + 100000"))
    garage.sync()
    assert garage.names() == {"Grace": 3}
    saw("the face stays removed")
    estate.close()
