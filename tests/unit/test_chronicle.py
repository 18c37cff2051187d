import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

from facesecure.chronicle import Chronicle
from facesecure.domain import Sighting, Verdict, VerdictKind
from facesecure.errors import StoreError
from support.builders import NOON

SEEN = Sighting("s1", Verdict(VerdictKind.STRANGER, "nobody we know"), "front door", NOON, NOON)


class Shelf:
    """A store in memory that can be told to be full."""

    def __init__(self, *, full: bool = False) -> None:
        self.full, self.recorded, self.extended = full, [], []

    def record(self, sighting):
        if self.full:
            raise StoreError("the disk is full", "delete something")
        self.recorded.append(sighting)
        return SimpleNamespace(snapshot=Path("s1.jpg"))

    def extend(self, identifier, last_seen):
        self.extended.append((identifier, last_seen))


def test_a_new_sighting_is_recorded_and_its_snapshot_named():
    shelf = Shelf()
    assert Chronicle(shelf).keep(SEEN) == Path("s1.jpg")
    assert shelf.recorded == [SEEN]


def test_a_closing_sighting_only_moves_its_end():
    shelf, end = Shelf(), NOON + timedelta(seconds=9)
    Chronicle(shelf).keep(replace(SEEN, closing=True, last_seen=end))
    assert shelf.recorded == []
    assert shelf.extended == [("s1", end)]


def test_a_full_disk_is_said_and_stops_nothing(caplog):
    chronicle = Chronicle(Shelf(full=True))
    with caplog.at_level(logging.ERROR):
        assert chronicle.keep(SEEN) is None
    assert chronicle.lost == 1
    assert "the disk is full" in caplog.text
