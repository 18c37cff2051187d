"""By the last rows that it has read, a door notices that the hub was put back."""

from __future__ import annotations

import json

from facesecure.hub.store.last_read import LastRead, Row


def rows(*revisions: int) -> list[Row]:
    return [(f"row {revision}", revision, b"signature") for revision in revisions]


def read(*revisions: int) -> LastRead:
    last = LastRead()
    for row in rows(*revisions):
        last.note(*row)
    return last


def test_the_last_hundred_rows_are_remembered_across_a_restart() -> None:
    last = read(*range(1, 151))
    assert (len(last.rows), last.floor) == (100, 50)
    assert LastRead.decode(json.loads(json.dumps(last.encoded()))) == last
    assert not last.contradicted(rows(*range(51, 151)), cursor=150)


def test_rows_that_changed_or_came_later_contradict_nothing_and_others_do() -> None:
    assert not read(3, 7).contradicted([("row 3", 9, b"another"), *rows(7, 8)], cursor=7)
    assert read(3, 7).contradicted(rows(3), cursor=7)
    assert not read(3, 7).contradicted(rows(3), cursor=7, may_be_gone=["row 7"])
    assert read(3, 7).contradicted(rows(3, 5, 7), cursor=7)
    assert read(3, 7).contradicted([("row 3", 3, b"another"), *rows(7)], cursor=7)
    assert read(3, 7).contradicted([("row 3", 5, b"signature"), *rows(7)], cursor=7)


def test_a_door_that_remembers_no_row_reads_everything_again_once() -> None:
    last = LastRead()
    assert last.contradicted(rows(3), cursor=7)
    assert not last.contradicted(rows(3), cursor=7)
    assert not LastRead(floor=7).contradicted([], cursor=7)
