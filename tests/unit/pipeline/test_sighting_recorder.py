import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

from facesecure.domain import Sighting, Verdict, VerdictKind
from facesecure.domain.errors import DiskFullError, StoreError
from facesecure.domain.mode import Mode
from facesecure.pipeline.sighting_recorder import SightingRecorder
from support.builders import NOON

SEEN = Sighting("s1", Verdict(VerdictKind.STRANGER, "nobody we know"), "front door", NOON, NOON)


class Shelf:
    """A store in memory, full on request."""

    def __init__(self, *, full: bool = False) -> None:
        self.error = StoreError("the disk is full", "delete something") if full else None
        self.recorded, self.updated = [], []

    def record(self, sighting):
        if self.error is not None:
            raise self.error
        self.recorded.append(sighting)
        return SimpleNamespace(snapshot=Path("s1.jpg"))

    def update(self, sighting):
        self.updated.append(sighting)


def test_a_new_sighting_is_recorded_and_its_snapshot_named():
    shelf = Shelf()
    assert SightingRecorder(shelf).record(SEEN) == Path("s1.jpg")
    assert shelf.recorded == [SEEN]


def test_a_closing_sighting_is_brought_up_to_date_and_not_recorded_again():
    shelf, closing = Shelf(), replace(SEEN, closing=True, last_seen=NOON + timedelta(seconds=9))
    SightingRecorder(shelf).record(closing)
    assert shelf.recorded == []
    assert shelf.updated == [closing]


def test_a_full_disk_is_said_and_stops_nothing(caplog):
    recorder = SightingRecorder(Shelf(full=True))
    with caplog.at_level(logging.ERROR):
        assert recorder.record(SEEN) is None
    assert recorder.lost == 1
    assert "the disk is full" in caplog.text


def test_the_end_of_a_sighting_that_was_lost_is_lost_with_it_and_counted_once():
    shelf = Shelf(full=True)
    recorder = SightingRecorder(shelf)
    recorder.record(SEEN)
    shelf.error = None
    for _ in range(2):
        recorder.record(replace(SEEN, closing=True))
    assert (recorder.lost, len(shelf.updated)) == (1, 1)


def test_a_strangers_sighting_is_grouped_when_it_has_ended_and_nobody_elses():
    grouped = []
    recorder = SightingRecorder(Shelf(), grouped.append)
    tom = replace(SEEN, identifier="s2", verdict=Verdict(VerdictKind.KNOWN, "looks like Tom", name="Tom"))
    for sighting in (SEEN, replace(SEEN, closing=True), tom, replace(tom, closing=True)):
        recorder.record(sighting)
    assert grouped == ["s1"]


def test_a_disk_that_fills_while_grouping_loses_no_sighting_and_is_said(caplog):
    def full(identifier: str) -> None:
        raise StoreError("the disk is full", "delete something")

    recorder = SightingRecorder(Shelf(), full)
    assert recorder.record(replace(SEEN, closing=True)) is None
    assert recorder.lost == 0
    assert "at the next start: the disk is full" in caplog.text


def test_a_full_disk_is_told_once_until_something_fits_again():
    shelf, reports = Shelf(), []
    recorder = SightingRecorder(shelf, on_full=lambda: reports.append("full"))
    for error, expected in [
        (StoreError("busy"), 0), (DiskFullError("full"), 1), (StoreError("busy"), 1), (DiskFullError("full"), 1),
        (None, 1), (DiskFullError("full"), 2),
    ]:  # fmt: skip
        shelf.error = error
        recorder.record(SEEN)
        assert len(reports) == expected


def test_the_mode_of_the_household_is_recorded_with_each_sighting():
    shelf, modes = Shelf(), iter([Mode.AWAY, Mode.OFF])
    recorder = SightingRecorder(shelf, mode=lambda: next(modes))
    for sighting in (SEEN, replace(SEEN, closing=True), replace(SEEN, identifier="s2")):
        recorder.record(sighting)
    assert [one.mode for one in shelf.recorded] == [Mode.AWAY, Mode.OFF]
