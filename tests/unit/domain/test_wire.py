"""The documents that programs read: every key, its order and its form are a contract."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from facesecure.domain import (
    Alert,
    AlertKind,
    AlignedFace,
    Box,
    Quality,
    SeenFace,
    Sighting,
    Verdict,
    VerdictKind,
)
from facesecure.domain.records import Correction, EnrolledFace, Person, StoredFace, StoredSighting, Visitor
from facesecure.domain.wire.alerts import AlertMessage, StoredAlert
from facesecure.domain.wire.sightings import (
    BoxDocument,
    EnrolledFaceDocument,
    PersonDocument,
    QualityDocument,
    SightingDocument,
    VisitorDocument,
    VisitorFaceDocument,
)

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
PARIS = datetime(2026, 5, 1, 18, 0, 0, 123456, timezone(timedelta(hours=2)))
KNOWN = Verdict(VerdictKind.KNOWN, "looks like Tom", "Tom", 0.61234567, "Eve", 0.2, 12.3456789, 3)
BOX = Box(1.26, 2, 3.3333, 4)
SIGHTING = Sighting(
    "a1", KNOWN, "front door", NOON, PARIS, track=4, supersedes="z9", box=BOX, closing=True, staged=True
)
ALERT = Alert(
    AlertKind.KNOWN, "Tom is there", "Tom", SIGHTING, Path("/x/y.jpg"), 2, ("log", "speaker"), "id1", created_at=PARIS
)
QUALITY = Quality(30.123456789, 1.0, 100.0, 40.0, 0.1, -0.2, 3.0, 0.99, 0.87654321, ("too dark",))


def items(document: dict[str, object]) -> list[tuple[str, object]]:
    """Keys and values in their order."""
    return list(document.items())


def test_a_sighting_is_flat_with_its_verdict_first_and_its_correction_last() -> None:
    stored = StoredSighting(
        "a1",
        KNOWN,
        "door",
        NOON,
        PARIS,
        PARIS,
        track=4,
        superseded_by="b2",
        snapshot=Path("/s/a.jpg"),
        box=BOX,
        visitor=3,
        correction=Correction(VerdictKind.STRANGER, None, "not Tom", PARIS),
    )
    assert items(SightingDocument.of(stored).as_json()) == [
        ("id", "a1"),
        ("verdict", "known"),
        ("name", "Tom"),
        ("score", 0.612346),
        ("second_name", "Eve"),
        ("second_score", 0.2),
        ("evidence", 12.345679),
        ("faces_used", 3),
        ("why", "looks like Tom"),
        ("source", "door"),
        ("first_seen", "2026-05-01T12:00:00+00:00"),
        ("last_seen", "2026-05-01T18:00:00.123456+02:00"),
        ("track", 4),
        ("supersedes", None),
        ("superseded_by", "b2"),
        ("snapshot", "/s/a.jpg"),
        ("box", [1.3, 2.0, 3.3, 4.0]),
        ("visitor", 3),
        ("doubt", None),
        ("subject", None),
        ("corrected_verdict", "stranger"),
        ("corrected_name", None),
        ("correction", "not Tom"),
        ("corrected_at", "2026-05-01T18:00:00.123456+02:00"),
    ]


def test_what_a_sighting_lacks_is_null_and_never_left_out() -> None:
    bare = StoredSighting("a2", Verdict(VerdictKind.UNIDENTIFIED, "moved"), "door", NOON, PARIS, PARIS)
    document = SightingDocument.of(bare).as_json()
    assert len(document) == 24
    assert {key for key, value in document.items() if value is not None} == {
        "id",
        "verdict",
        "faces_used",
        "why",
        "source",
        "first_seen",
        "last_seen",
    }


def test_an_alert_message_says_it_all_on_one_level() -> None:
    assert items(AlertMessage.of(ALERT).as_json()) == [
        ("text", "Tom is there"),
        ("kind", "known"),
        ("alert", "id1"),
        ("created_at", "2026-05-01T18:00:00.123456+02:00"),
        ("held_back", 2),
        ("snapshot", "/x/y.jpg"),
        ("name", "Tom"),
        ("why", "looks like Tom"),
        ("score", 0.61234567),
        ("second_name", "Eve"),
        ("second_score", 0.2),
        ("evidence", 12.3456789),
        ("faces_used", 3),
        ("sighting", "a1"),
        ("source", "front door"),
        ("track", 4),
        ("first_seen", "2026-05-01T12:00:00+00:00"),
        ("last_seen", "2026-05-01T18:00:00.123456+02:00"),
        ("supersedes", "z9"),
        ("doubt", None),
        ("subject", None),
        ("clip", None),
    ]


def test_an_alert_about_no_sighting_has_the_same_keys() -> None:
    alone = AlertMessage.of(Alert(AlertKind.SERVICE, "disk full", identifier="id2", created_at=NOON)).as_json()
    assert alone.keys() == AlertMessage.of(ALERT).as_json().keys()
    assert alone["why"] is alone["snapshot"] is alone["faces_used"] is None


WRITTEN_BY_0_1 = {
    "kind": "known",
    "text": "Tom is there",
    "speech": "Tom",
    "sighting": {
        "identifier": "a1",
        "verdict": {
            "kind": "known",
            "why": "looks like Tom",
            "name": "Tom",
            "score": 0.61234567,
            "second_name": "Eve",
            "second_score": 0.2,
            "evidence": 12.3456789,
            "faces_used": 3,
        },
        "source": "front door",
        "first_seen": "2026-05-01T12:00:00+00:00",
        "last_seen": "2026-05-01T18:00:00.123456+02:00",
        "track": 4,
        "supersedes": "z9",
        "box": [1.26, 2.0, 3.3333, 4.0],
        "closing": True,
        "staged": True,
    },
    "snapshot_path": "/x/y.jpg",
    "held_back": 2,
    "channels": ["log", "speaker"],
    "identifier": "id1",
    "created_at": "2026-05-01T18:00:00.123456+02:00",
}


def test_the_outbox_reads_and_writes_what_version_0_1_wrote() -> None:
    assert StoredAlert.model_validate(WRITTEN_BY_0_1).alert() == ALERT
    written = StoredAlert.of(ALERT).as_json()
    sighting = written.pop("sighting")
    assert sighting.pop("doubt") == "", "what was added since has a default"
    assert sighting.pop("subject") is None
    assert sighting.pop("mode") is None
    assert written.pop("clip") is None
    assert {**written, "sighting": sighting} == WRITTEN_BY_0_1


@pytest.mark.parametrize(
    "wrong",
    [{}, {**WRITTEN_BY_0_1, "kind": "burglar"}, {**WRITTEN_BY_0_1, "sighting": {}}, {**WRITTEN_BY_0_1, "more": 1}],
    ids=["empty", "kind", "sighting", "unknown key"],
)
def test_a_stored_alert_that_is_none_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StoredAlert.model_validate(wrong)


def test_people_faces_and_visitors() -> None:
    crop, embedding = np.zeros((112, 112, 3), np.uint8), np.ones(4, np.float32)
    measures = {
        "clarity": 0.876543,
        "usable": False,
        "reasons": ["too dark"],
        "eye_distance": 30.123457,
        "sharpness": 1.0,
        "brightness": 100.0,
        "contrast": 40.0,
        "yaw": 0.1,
        "pitch": -0.2,
        "roll": 3.0,
        "confidence": 0.99,
    }
    assert items(QualityDocument.of(QUALITY).as_json()) == list(measures.items())
    assert PersonDocument.of(Person("Tom", NOON, 5)).as_json() == {
        "name": "Tom",
        "faces": 5,
        "created_at": "2026-05-01T12:00:00+00:00",
    }
    enrolled = EnrolledFace(crop, embedding, "sha", QUALITY, "a.jpg", 7, NOON)
    assert EnrolledFaceDocument.of(enrolled).as_json() == {
        "id": 7,
        "source": "a.jpg",
        "added_at": "2026-05-01T12:00:00+00:00",
        "model_sha256": "sha",
        "quality": measures,
    }
    visitor = Visitor(3, NOON, PARIS, 2, None, True, 4, Path("/s/b.jpg"), ("gate", "front door"))
    assert VisitorDocument.of(visitor).as_json() == {
        "id": 3,
        "name": None,
        "visits": 2,
        "first_seen": "2026-05-01T12:00:00+00:00",
        "last_seen": "2026-05-01T18:00:00.123456+02:00",
        "marked": True,
        "faces": 4,
        "snapshot": "/s/b.jpg",
        "route": ["gate", "front door"],
        "elsewhere": [],
    }
    seen = StoredFace("a1", SeenFace(AlignedFace(crop, QUALITY), embedding, "sha", NOON))
    assert VisitorFaceDocument.of(seen).as_json() == {
        "event": "a1",
        "taken_at": "2026-05-01T12:00:00+00:00",
        "model_sha256": "sha",
        "quality": measures,
    }


def test_numbers_that_json_cannot_carry_become_null() -> None:
    endless = StoredSighting(
        "a3",
        Verdict(VerdictKind.STRANGER, "far", score=np.float32(0.5), evidence=float("-inf")),
        "door",
        NOON,
        NOON,
        NOON,
    )
    document = SightingDocument.of(endless).as_json()
    assert (document["score"], document["evidence"]) == (0.5, None)


def test_a_box_keeps_a_tenth_of_a_pixel() -> None:
    assert BoxDocument.of(BOX).edges() == [1.3, 2.0, 3.3, 4.0]
