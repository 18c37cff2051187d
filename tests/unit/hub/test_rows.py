"""Rows of the hub check their shape: the database is run by somebody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from facesecure.hub.row_values import checked, door_from, notice_from, record_from, rights_from, rights_text
from facesecure.hub.rows import Door, Notice, NoticeState, Person, PersonKey, Record, RecordKind, Right, Sighting

ID, OTHER = "0" * 32, "a" * 32
NOW = datetime.now(UTC)
SIGNED = b"s" * 64


def a_door(**changes: Any) -> Door:
    values = {"identifier": ID, "name": "gate", "household": OTHER, "role": "facesecure_door_1", "joined_at": NOW}
    keys = {"box_key": b"k" * 32, "sign_key": b"k" * 32, "certificate": b"c", "rights": frozenset({Right.ARM})}
    return Door(**{**values, **keys, **changes})


def a_person(**changes: Any) -> Person:
    values = {
        "identifier": ID,
        "household": OTHER,
        "author": OTHER,
        "version": 1,
        "document": b"d",
        "signature": SIGNED,
    }
    return Person(**{**values, **changes})


def a_record(**changes: Any) -> Record:
    values = {"kind": RecordKind.MODE, "identifier": "mode", "household": ID, "author": OTHER, "version": 1}
    return Record(**{**values, "document": b"d", "signature": SIGNED, **changes})


def a_key(**changes: Any) -> PersonKey:
    return PersonKey(**{"person": ID, "door": OTHER, "wrapped": b"w", "author": OTHER, "signature": SIGNED, **changes})


def a_sighting(**changes: Any) -> Sighting:
    values = {"identifier": ID, "household": OTHER, "author": OTHER, "document": b"d", "signature": SIGNED, "at": NOW}
    return Sighting(**{**values, **changes})


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (a_door, {"identifier": "A" * 32}),
        (a_door, {"identifier": "0" * 31}),
        (a_door, {"identifier": ID + "\n"}),
        (a_door, {"household": None}),
        (a_door, {"name": ""}),
        (a_door, {"name": "x" * 65}),
        (a_door, {"name": "a\x1b[31m"}),
        (a_door, {"name": " gate"}),
        (a_door, {"name": 7}),
        (a_door, {"role": "x; DROP ROLE y"}),
        (a_door, {"box_key": b"k" * 31}),
        (a_door, {"certificate": b""}),
        (a_person, {"version": 0}),
        (a_person, {"version": 1 << 53}),
        (a_person, {"version": "1"}),
        (a_person, {"document": b""}),
        (a_person, {"document": "text"}),
        (a_person, {"document": bytes((4 << 20) + 1)}),
        (a_person, {"signature": b"s" * 63}),
        (a_record, {"identifier": "../x"}),
        (a_record, {"identifier": "x" * 129}),
        (a_record, {"identifier": ""}),
        (a_key, {"wrapped": b"w" * 513}),
        (a_sighting, {"document": None, "signature": b""}),
        (a_sighting, {"document": bytes((64 << 10) + 1)}),
    ],
)
def test_a_row_of_another_shape_is_refused(make: Callable[..., Any], changes: dict[str, Any]) -> None:
    make()
    with pytest.raises(ValueError, match="not"):
        make(**changes)


def test_a_tombstone_has_no_document() -> None:
    assert a_person(document=None).document is None
    assert a_record(document=None).document is None


def test_rows_that_are_damaged_are_left_out_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    good = {**vars(a_record()), "kind": "mode"}
    rows: list[Any] = [good, {**good, "kind": "other"}, {**good, "version": -1}, {**good, "unknown": 1}]
    assert checked(rows, record_from) == (a_record(),)
    assert caplog.text.count("3 rows of the hub are left out") == 1


def test_a_door_with_a_right_that_is_unknown_is_left_out() -> None:
    row: Any = {**vars(a_door()), "rights": "arm,fly"}
    rows: list[Any] = [row, {**row, "rights": "arm"}]
    assert checked(rows, door_from) == (a_door(),)


def test_rights_are_stored_in_one_order() -> None:
    assert rights_text(frozenset(Right)) == "arm,enrol,share,view"
    assert rights_from("view,arm") == {Right.ARM, Right.VIEW}
    assert rights_from(rights_text(frozenset())) == frozenset()


def test_a_claim_holds_until_its_time_and_for_good_once_confirmed() -> None:
    claim = notice_from("claimed", sighting=ID, household=OTHER, door=OTHER, at=NOW, until=NOW + timedelta(seconds=30))
    assert claim.holds(NOW + timedelta(seconds=29))
    assert not claim.holds(NOW + timedelta(seconds=30))
    confirmed = Notice(ID, OTHER, OTHER, NoticeState.CONFIRMED, NOW, NOW)
    assert confirmed.holds(NOW + timedelta(days=1))
