"""Sightings and their snapshots in a real database."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import text

from facesecure.domain import Box, Subject, VerdictKind
from facesecure.domain.errors import StoreError, UsageError
from facesecure.storage.store import Store
from support.builders import NOON
from support.store import STRANGER, UNIDENTIFIED, enrolled_face, known, picture, run_python, sighting


def test_a_sighting_is_read_as_it_was_written(store: Store) -> None:
    store.add_person("Tom", [enrolled_face()])
    written = sighting("20260501-1", known("Tom"), snapshot=picture())
    store.record(written)
    read = store.sighting("20260501-1")
    assert (read.verdict, read.source, read.track) == (written.verdict, "front door", 7)
    assert (read.first_seen, read.last_seen) == (written.first_seen, written.last_seen)
    assert read.box == Box(1, 2, 30, 40)


@pytest.mark.parametrize("subject", [None, *Subject])
def test_what_was_seen_without_a_face_is_read_as_it_was_written(store: Store, subject: Subject | None) -> None:
    store.record(replace(sighting("one", UNIDENTIFIED), subject=subject))
    assert store.sighting("one").subject is subject


@pytest.mark.parametrize(("kind", "subject"), [("unidentified", "burglar"), ("known", "person")])
def test_a_subject_that_others_wrote_and_there_is_not_is_none(store: Store, kind: str, subject: str) -> None:
    store.record(sighting("one", UNIDENTIFIED))
    with store._database.write() as session:
        values = {"subject": subject, "kind": kind}
        session.execute(text("UPDATE sightings SET subject = :subject, kind = :kind"), values)
    assert store.sighting("one").subject is None


def test_times_come_back_in_utc_whatever_zone_they_went_in(store: Store) -> None:
    summer = datetime(2026, 5, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    store.record(sighting("one", when=summer))
    read = store.sighting("one").first_seen
    assert read == summer
    assert read.tzinfo is UTC


def test_the_snapshot_is_a_private_jpeg_by_day(store: Store, state_dir: Path) -> None:
    stored = store.record(sighting("one", snapshot=np.full((48, 64, 3), (200, 30, 30), np.uint8)))
    assert stored.snapshot == state_dir / "snapshots" / "2026" / "05" / "01" / "one.jpg"
    assert stored.snapshot.stat().st_mode & 0o777 == 0o600
    assert stored.snapshot.parent.stat().st_mode & 0o777 == 0o700
    pixels = cv2.imread(str(stored.snapshot))
    assert pixels is not None
    blue, green, red = pixels[20, 20]
    assert red > 150 > 60 > max(blue, green)


def test_no_snapshot_is_kept_when_the_householder_wants_none(state_dir: Path) -> None:
    with Store.open(state_dir, keep_snapshots=False) as store:
        assert store.record(sighting("one", snapshot=picture())).snapshot is None
    assert not (state_dir / "snapshots").exists()


@pytest.mark.parametrize("identifier", ["../../evil", "a/b", "", ".hidden", "a" * 101, "a\x00b"])
def test_an_identifier_cannot_lead_out_of_the_folder(store: Store, identifier: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        store.record(sighting(identifier, snapshot=picture()))
    assert store.sightings() == []


def test_the_same_sighting_twice_is_refused_and_the_first_stays(store: Store) -> None:
    first = store.record(sighting("one", snapshot=picture()))
    assert first.snapshot is not None
    before = first.snapshot.read_bytes()
    with pytest.raises(StoreError, match="already"):
        store.record(sighting("one", UNIDENTIFIED, snapshot=picture(32, 32)))
    assert first.snapshot.read_bytes() == before
    assert store.sighting("one").verdict == STRANGER


def test_at_its_end_a_visit_gets_its_length_its_figures_and_its_best_snapshot(store: Store) -> None:
    first = sighting("one", known("Tom"), snapshot=picture(64, 48))
    store.record(first)
    surer = replace(known("Tom"), score=0.9, faces_used=40)
    end = NOON + timedelta(minutes=1)
    store.update(replace(first, verdict=surer, last_seen=end, snapshot=picture(96, 96), box=Box(5, 5, 50, 50)))
    read = store.sighting("one")
    assert (read.last_seen, read.verdict.score, read.verdict.faces_used) == (end, 0.9, 40)
    assert read.box == Box(5, 5, 50, 50)
    assert read.snapshot is not None
    best = cv2.imread(str(read.snapshot))
    assert best is not None
    assert best.shape == (96, 96, 3)


def test_a_visit_can_last_longer_but_not_shorter_and_keeps_its_snapshot_where_no_better_came(store: Store) -> None:
    first = store.record(sighting("one", snapshot=picture()))
    later = replace(sighting("one"), last_seen=NOON + timedelta(minutes=1))
    store.update(later)
    store.update(sighting("one"))
    assert store.sighting("one").last_seen == later.last_seen
    assert store.sighting("one").snapshot == first.snapshot


def test_a_visit_that_was_never_recorded_cannot_end(store: Store, state_dir: Path) -> None:
    with pytest.raises(StoreError, match="no sighting"):
        store.update(sighting("two", snapshot=picture()))
    assert not list(state_dir.rglob("*.jpg"))


def test_newest_come_first_and_filters_hold(store: Store) -> None:
    for hour, (identifier, verdict) in enumerate(
        [("a", STRANGER), ("b", known("Tom")), ("c", UNIDENTIFIED), ("d", known("Ann"))]
    ):
        store.record(sighting(identifier, verdict, NOON + timedelta(hours=hour)))

    def found(**filters: object) -> str:
        return "".join(stored.identifier for stored in store.sightings(**filters))  # type: ignore[arg-type]

    assert found() == "dcba"
    assert found(limit=2) == "dc"
    assert found(since=NOON + timedelta(hours=1)) == "dcb"
    assert found(until=NOON + timedelta(hours=1)) == "a"
    assert found(kind=VerdictKind.KNOWN) == "db"
    assert found(name="tom") == "b"
    assert found(name="Nobody") == ""


def test_a_correction_is_told_from_both_sides(store: Store) -> None:
    store.record(sighting("one", UNIDENTIFIED))
    store.record(sighting("two", known("Tom"), NOON + timedelta(seconds=3), supersedes="one"))
    assert store.sighting("one").superseded_by == "two"
    assert store.sighting("two").supersedes == "one"
    assert [found.identifier for found in store.sightings(latest_only=True)] == ["two"]
    assert len(store.sightings()) == 2


def test_a_unique_beginning_is_enough_to_find_a_sighting(store: Store) -> None:
    for identifier in ("abc1", "abc12", "abd"):
        store.record(sighting(identifier))
    assert store.sighting("abd").identifier == "abd"
    assert store.sighting("abc1").identifier == "abc1"
    with pytest.raises(UsageError, match="several"):
        store.sighting("abc")
    for nothing in ("x", "", "%"):
        with pytest.raises(UsageError, match="no sighting"):
            store.sighting(nothing)


def test_an_export_gives_every_sighting_once_oldest_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facesecure.storage.sightings._PAGE", 3)
    for number in range(10):
        store.record(sighting(f"s{number}", when=NOON + timedelta(seconds=number // 4)))
    assert [found.identifier for found in store.each_sighting()] == [f"s{number}" for number in range(10)]


def test_sightings_from_many_threads_all_arrive(store: Store) -> None:
    def record(thread: int) -> None:
        for number in range(5):
            store.record(sighting(f"t{thread}-{number}"))

    threads = [threading.Thread(target=record, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.sightings()) == 20


_FULL_DISK = """
import logging, sys
from pathlib import Path
from facesecure.domain.errors import StoreError
from facesecure.storage.store import Store
from support.store import picture, sighting
logging.basicConfig(level=logging.WARNING)
with Store.open(Path(sys.argv[1])) as store:
    kept = store.record(sighting("before", snapshot=picture()))
    lost = store.record(sighting("big", snapshot=picture(1200, 900)))
    left = [str(path) for path in Path(sys.argv[1]).rglob("*.part")]
    print(kept.snapshot is not None, lost.snapshot, len(store.sightings()), left)
    Path(sys.argv[1], "fill").write_bytes(bytes(1))
    try:
        with open(Path(sys.argv[1], "fill"), "wb", 0) as file:
            while file.write(bytes(4096)): pass
    except OSError as error:
        pass
    try:
        for number in range(1000): store.record(sighting(f"s{number}"))
    except StoreError as error:
        print(error)
    print(store.sighting("before").identifier)
"""


def test_on_a_full_disk_the_sighting_is_kept_without_its_snapshot(tmp_path: Path) -> None:
    done = run_python(_FULL_DISK, tmp_path, mount=f"mount -t tmpfs -o size=900k none {tmp_path}")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "True None 2 []"
    assert "no snapshot of sighting big is stored" in done.stderr
    assert "the disk is full" in lines[1]
    assert "free some space" in lines[2]
    assert lines[3] == "before"


def test_a_snapshot_that_cannot_be_written_is_a_warning(
    store: Store, state_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (state_dir / "snapshots").write_text("somebody's note where the folder belongs")
    with caplog.at_level(logging.WARNING):
        stored = store.record(sighting("one", snapshot=picture()))
    assert stored.snapshot is None
    assert stored.box is None
    assert "one" in caplog.text
    assert store.sighting("one").verdict == STRANGER
