"""A door that lies, or whoever can write the hub's database, about visitors, marked faces and calibration."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures
from sqlalchemy import insert, text

from facesecure.hub.rows import SIGNATURE_BYTES, RecordKind, Right
from facesecure.hub.store.member import BATCH
from facesecure.hub.sync import visitors as sharing
from facesecure.hub.sync.calibration_document import Shared, encoded
from facesecure.hub.sync.embedding_text import embedding_text
from facesecure.hub.tables import records
from facesecure.recognition.calibration import Spread
from facesecure.services.visitors import forget_visitor
from support.builders import NOON
from support.bundled_model import models
from support.faults.table import attack
from support.hub_records import RecordDoor, RecordEstate, settle
from support.store import MODEL
from support.strangers import calibrated_household, member, towards
from support.visitors import looks, visit

Saw = Callable[[str], None]
Change = Callable[[dict[str, Any]], object]
UID = "abc" + "0" * 29
KEY = "f" * 32


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[RecordEstate]:
    made = RecordEstate(tmp_path)
    yield made
    made.close()


@pytest.fixture
def front(estate: RecordEstate) -> RecordDoor:
    return estate.add("front")


@pytest.fixture
def liar(estate: RecordEstate, front: RecordDoor) -> RecordDoor:
    made = estate.add("liar")
    settle(front, made)
    return made


def lie(door: RecordDoor, kind: RecordKind, identifier: str, plain: bytes | None) -> None:
    """Put a record as ``door``, as no honest daemon does."""
    before = door.hub.records.get(kind, identifier)
    version = before.version if before else 0
    row = door.household.documents.record(kind, identifier, version + 1, plain)
    assert door.hub.records.put(row, after=version) is not None


def seen(person: int = 1, uid: str = UID, visits: int = 1) -> dict[str, Any]:
    look = {"clarity": 0.9, "embedding": embedding_text(looks(person))}
    times = {"first": NOON.isoformat(), "last": NOON.isoformat()}
    return {"uid": uid, **times, "visits": visits, "person": None, "looks": [look]}


def visitors(change: Change = dict) -> bytes:
    document: dict[str, Any] = {"format": 1, "model": MODEL, "parts": [seen()], "forgotten": [], "same": {}}
    change(document)
    return json.dumps(document).encode()


def part(**values: Any) -> Change:
    return lambda document: document["parts"][0].update(values)


def part_of(parts: list[dict[str, Any]], **values: Any) -> Change:
    return lambda document: document.update(parts=parts, **values)


def look(**values: Any) -> Change:
    return lambda document: document["parts"][0]["looks"][0].update(values)


def values(*numbers: float) -> str:
    return base64.b64encode(np.asarray(numbers, "<f4").tobytes()).decode()


ABSURD: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"\xff\x00{",
    "JSON nested 20,000 deep": b"[" * 20_000,
    "another form": b'{"format": 2}',
    "a list": b"[]",
    "a number too many": visitors(lambda document: document.update(more=1)),
    "another beginning": visitors(part(uid="f" * 32)),
    "no number": visitors(part(uid="abc/../../" + "0" * 22)),
    "one twice": visitors(lambda document: document["parts"].append(seen())),
    "seventeen": visitors(lambda document: document.update(parts=[seen(uid=f"abc{n:029x}") for n in range(17)])),
    "never seen": visitors(part(visits=0)),
    "seen too often": visitors(part(visits=2**70)),
    "seen half": visitors(part(visits=1.5)),
    "of no time": visitors(part(first="NaN")),
    "without a zone": visitors(part(first="2026-05-01T12:00:00")),
    "from before": visitors(part(first="0001-01-01T00:00:00+00:00")),
    "the wrong way round": visitors(part(first="2026-05-02T00:00:00+00:00", last="2026-05-01T00:00:00+00:00")),
    "infinitely clear": visitors(look(clarity=1e999)),
    "no base64": visitors(look(embedding="!!!!")),
    "no values": visitors(look(embedding="")),
    "values that are none": visitors(look(embedding=values(*[float("nan")] * 192))),
    "infinite values": visitors(look(embedding=values(*[float("inf")] * 192))),
    "values of no length": visitors(look(embedding=values(*[0.0] * 192))),
    "of another size than the model's": visitors(look(embedding=values(1.0, *[0.0] * 99))),
    "a megabyte of values": visitors(look(embedding="A" * 900_000)),
    "many looks": visitors(part(looks=[{"clarity": 1, "embedding": values(1.0)}] * 9)),
    "the higher one kept": visitors(lambda document: document.update(same={UID: "f" * 32})),
    "becoming itself": visitors(lambda document: document.update(same={UID: UID})),
    "forgetting anything": visitors(lambda document: document.update(forgotten=["abc%"])),
    "forgetting many": visitors(lambda document: document.update(forgotten=[f"abc{n:029x}" for n in range(65)])),
}


@attack(
    "hub: a door shares visitors that are none",
    how="signed documents with wrong keys, numbers, embeddings, names and lists that are too long",
)
def test_what_is_no_document_of_visitors_is_left_out_and_told(
    front: RecordDoor, liar: RecordDoor, caplog: pytest.LogCaptureFixture, saw: Saw
) -> None:
    visit(front.store, "f1", 1)
    settle(front)
    before = front.store.visitors.all()
    for name, plain in ABSURD.items():
        caplog.clear()
        front.records._refused.clear()  # it tells of each once
        lie(liar, RecordKind.VISITOR, f"{liar.door}.abc", plain)
        settle(front)
        assert front.store.visitors.all() == before, name
        assert "a record is left out" in caplog.text, name
        assert "this is a bug" not in caplog.text, name
    lie(liar, RecordKind.VISITOR, f"{liar.door}.abc", visitors())
    settle(front)
    assert front.elsewhere() == {1: [("liar", 1)]}, "and what is one is taken"
    saw(f"{len(ABSURD)} of {len(ABSURD)} left out; the one after them is taken")


@attack(
    "hub: a door speaks for another of its household",
    how="records in the place of another door, in none, and of another kind; the administrator moves a genuine one",
)
def test_no_door_speaks_for_another_or_in_another_place(
    front: RecordDoor, liar: RecordDoor, estate: RecordEstate, caplog: pytest.LogCaptureFixture, saw: Saw
) -> None:
    shed = estate.add("shed")
    settle(shed, front, liar)
    lie(liar, RecordKind.VISITOR, f"{shed.door}.abc", visitors())
    lie(liar, RecordKind.VISITOR, f"{liar.door}.nonsense", visitors())
    lie(liar, RecordKind.VISITOR, "x" * 40, visitors())
    lie(liar, RecordKind.MARKED, f"{liar.door}.abc", visitors())
    lie(liar, RecordKind.CALIBRATION, f"{liar.door}.abc", visitors())
    settle(front, shed)
    assert front.store.visitors.all() == shed.store.visitors.all() == []
    assert "in the place of another door" in caplog.text
    visit(shed.store, "s1", 1)
    settle(shed, front)
    assert front.elsewhere() == {1: [("shed", 1)]}
    with liar.hub.database.begin() as connection:  # the database's administrator moves and changes rows
        other = "CASE substr(identifier, 33) WHEN '.fff' THEN '.eee' ELSE '.fff' END"  # its numbers are random
        moved = f"UPDATE records SET identifier = substr(identifier, 1, 32) || {other}"
        theirs = "WHERE author = :door AND kind = 'visitor' AND document NOT NULL"
        connection.execute(text(f"{moved} {theirs}"), {"door": shed.door})
    front.restart()
    caplog.clear()
    front.sync()
    assert "a record is left out" in caplog.text
    saw("5 of 5 left out, and the one that was moved")


def test_an_older_record_that_was_put_back_is_refused_also_after_a_restart(
    front: RecordDoor, liar: RecordDoor, caplog: pytest.LogCaptureFixture
) -> None:
    visit(liar.store, "l1", 1)
    settle(liar, front)
    (row,) = [one for one in liar.hub.records.after(0) if one.kind is RecordKind.VISITOR]
    forget_visitor(front.store, 1)
    settle(front, liar)
    with liar.hub.database.begin() as connection:
        connection.execute(
            text(
                "UPDATE records SET document = :document, signature = :signature, version = 1 WHERE identifier = :one"
            ),
            {"document": row.document, "signature": row.signature, "one": row.identifier},
        )
    front.restart()
    front.sync()
    assert "older than what was seen before" in caplog.text
    assert front.store.visitors.all() == []


@attack(
    "hub: a door stops the others from reading on",
    how="more malformed records than are read at a time, before those of an honest door",
)
def test_malformed_records_keep_nobody_from_those_after_them(
    front: RecordDoor, liar: RecordDoor, estate: RecordEstate, caplog: pytest.LogCaptureFixture, saw: Saw
) -> None:
    shed, many = estate.add("shed"), 2 * BATCH + 1
    settle(shed, front, liar)
    bad = {"household": front.household.own.household, "kind": "visitor", "author": liar.door, "version": 1}
    signed = {"document": b"x", "signature": b"s" * SIGNATURE_BYTES}
    with liar.hub.database.begin() as connection:
        newest = connection.execute(text("SELECT value FROM revisions")).scalar_one()
        rows = [{**bad, **signed, "identifier": f"A {n}", "revision": newest + 1 + n} for n in range(many)]
        connection.execute(insert(records), rows)
        connection.execute(text("UPDATE revisions SET value = :value"), {"value": newest + many})
    caplog.clear()
    visit(shed.store, "s1", 1)
    settle(shed, front)
    assert front.elsewhere() == {1: [("shed", 1)]}
    assert 1 <= caplog.text.count("rows of the hub are left out") <= many // 10, "not a line for each"
    saw(f"{many} of {many} left out; the one after them is taken")


def test_a_flood_stops_at_its_limit(front: RecordDoor, liar: RecordDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "MOST_TAKEN", 20)
    for number in range(5):
        begin = f"{number:03x}"
        plain = visitors(part_of([seen(number, f"{begin}{n:029x}") for n in range(16)]))
        lie(liar, RecordKind.VISITOR, f"{liar.door}.{begin}", plain)
    settle(front)
    assert 0 < len(front.store.visitors.all()) <= 20
    assert visit(front.store, "f1", 30) is not None


def test_a_door_without_the_right_forgets_merges_and_names_nobody(estate: RecordEstate, front: RecordDoor) -> None:
    guest = estate.add("guest", rights=frozenset({Right.VIEW}))
    settle(front, guest)
    visit(front.store, "f1", 1)
    settle(front)
    uid = front.uids()[1]
    other = "0" * 32
    for change in ({"forgotten": [uid]}, {"same": {uid: other}}):
        plain = visitors(part_of([seen(uid=uid) | {"person": "e" * 32}], **change))
        lie(guest, RecordKind.VISITOR, f"{guest.door}.{uid[:3]}", plain)
        settle(front)
        assert front.uids() == {1: uid}
        assert front.store.shared_visitors.to_name() == []


def png(width: int, height: int) -> str:
    file = BytesIO()
    Pictures.fromarray(np.zeros((height, width, 3), np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def mark(**changes: Any) -> bytes:
    quality = dict.fromkeys(
        ("eye_distance", "sharpness", "brightness", "contrast", "yaw", "pitch", "roll", "confidence", "clarity"), 0.5
    )
    face = {"crop": png(112, 112), "quality": quality, "taken_at": NOON.isoformat()}
    document = {"format": 1, "visitor": UID, "person": None, "faces": [face | changes.pop("face", {})], **changes}
    return json.dumps(document).encode()


def test_what_is_no_marked_face_is_left_out(
    front: RecordDoor, liar: RecordDoor, caplog: pytest.LogCaptureFixture
) -> None:
    absurd = {
        "nothing": b"",
        "another size": mark(face={"crop": png(113, 112)}),
        "a huge picture": mark(face={"crop": png(12_000, 1)}),
        "no picture": mark(face={"crop": base64.b64encode(b"GIF89a").decode()}),
        "no base64": mark(face={"crop": "!"}),
        "no faces": mark(faces=[]),
        "many faces": mark(faces=[json.loads(mark())["faces"][0]] * 9),
        "no visitor": mark(visitor="Anna"),
        "infinite quality": mark().replace(b"0.5", b"1e999", 1),
    }
    for name, plain in absurd.items():
        caplog.clear()
        front.records._refused.clear()  # it tells of each once
        lie(liar, RecordKind.MARKED, f"{liar.door}.{KEY}", plain)
        settle(front)
        assert "a record is left out" in caplog.text, name
        assert "this is a bug" not in caplog.text, name
        assert front.store.shared_visitors.marks.taken(liar.door) == {}, name
    lie(liar, RecordKind.MARKED, f"{liar.door}.{KEY}", mark())
    settle(front)
    assert front.store.shared_visitors.marks.taken(liar.door) == {KEY: 1}


def test_a_calibration_that_would_let_anybody_in_is_left_out(
    front: RecordDoor, liar: RecordDoor, caplog: pytest.LogCaptureFixture
) -> None:
    made = calibrated_household(member("Anna", towards(0)[0]), model_sha256=models().embedder.sha256)
    anna = made.people["Anna"]
    people = {"Anna": Shared("a" * 32, "crops")}
    lax = anna.model_copy(update={"impostor": Spread(mean=-1.0, sd_between=0.01, sd_within=0.01)})
    honest = encoded(made, people)
    absurd = {
        "nothing": b"",
        "lax": encoded(made.model_copy(update={"people": {"Anna": lax}}), people),
        "infinite": honest.replace(b'"mean":', b'"mean":1e999,"was":', 1),
        "not a number": honest.replace(b'"mean":', b'"mean":NaN,"x":', 1),
        "of a name": honest.replace(b"a" * 32, b"Anna"),
        "of tomorrow": encoded(made.model_copy(update={"made_at": datetime.now(UTC) + timedelta(days=9)}), people),
        "of nobody": encoded(made.model_copy(update={"people": {}}), people),
        "of many": encoded(made.model_copy(update={"people": {f"{n:032x}": anna for n in range(501)}}),
                           {f"{n:032x}": Shared(f"{n:032x}", "") for n in range(501)}),
    }  # fmt: skip
    for name, plain in absurd.items():
        caplog.clear()
        front.records._refused.clear()  # it tells of each once
        lie(liar, RecordKind.CALIBRATION, f"{liar.door}.newest", plain)
        settle(front)
        assert "a record is left out" in caplog.text, name
        assert "this is a bug" not in caplog.text, name
        assert front.calibration._offers == {}, name
    lie(liar, RecordKind.CALIBRATION, f"{liar.door}.newest", honest)
    settle(front)
    assert front.calibration._offers.keys() == {liar.door}
