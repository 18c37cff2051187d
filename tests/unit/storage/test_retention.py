"""Retention: what is removed, and what stays."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from facesecure.config import StoreConfig
from facesecure.domain.records import Pruned
from facesecure.storage import retention
from facesecure.storage.store import Store
from support.builders import NOON
from support.store import enrolled_face, known, picture, sighting

KEEP_ALL = StoreConfig(keep_days=0, max_snapshot_mb=0)
LATER = NOON + timedelta(days=31)


def identifiers(store: Store) -> list[str]:
    return [stored.identifier for stored in store.each_sighting()]


def age(path: Path, when: datetime) -> None:
    os.utime(path, (when.timestamp(), when.timestamp()))


def test_sightings_older_than_the_limit_go_with_their_snapshots(store: Store) -> None:
    old = store.record(sighting("old", when=NOON, snapshot=picture()))
    new = store.record(sighting("new", when=LATER - timedelta(days=1), snapshot=picture()))
    assert old.snapshot is not None
    assert new.snapshot is not None
    size = old.snapshot.stat().st_size
    pruned = store.prune(StoreConfig(keep_days=30), LATER)
    assert (pruned.sightings, pruned.snapshots, pruned.freed_bytes) == (1, 1, size)
    assert identifiers(store) == ["new"]
    assert not old.snapshot.exists()
    assert new.snapshot.exists()


def test_a_visit_that_began_before_the_limit_and_ended_after_it_stays(store: Store) -> None:
    store.record(sighting("long", when=NOON))
    store.update(replace(sighting("long", when=NOON), last_seen=LATER - timedelta(days=1)))
    assert store.prune(StoreConfig(keep_days=30), LATER).sightings == 0


def test_the_oldest_snapshots_make_room_and_their_sightings_stay(store: Store) -> None:
    stored = [store.record(sighting(f"s{n}", when=NOON + timedelta(hours=n), snapshot=picture())) for n in range(5)]
    sizes = [one.snapshot.stat().st_size for one in stored if one.snapshot]
    limit = sum(sizes[2:]) / 1e6
    pruned = store.prune(StoreConfig(keep_days=0, max_snapshot_mb=limit), NOON)
    assert pruned.snapshots == 2
    assert [one.snapshot is not None for one in store.each_sighting()] == [False, False, True, True, True]
    assert [bool(one.snapshot and one.snapshot.exists()) for one in stored] == [False, False, True, True, True]


def test_zero_keeps_everything(store: Store) -> None:
    store.record(sighting("old", snapshot=picture()))
    assert store.prune(KEEP_ALL, NOON + timedelta(days=9999)) == Pruned()
    assert identifiers(store) == ["old"]


def test_many_are_removed_in_batches(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    for number in range(10):
        store.record(sighting(f"s{number}", snapshot=picture(16, 16)))
    assert store.prune(StoreConfig(keep_days=1), LATER).snapshots == 10
    assert identifiers(store) == []


def test_room_is_made_in_batches_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    for number in range(10):
        store.record(sighting(f"s{number}", snapshot=picture(16, 16)))
    assert store.prune(StoreConfig(keep_days=0, max_snapshot_mb=1e-6), NOON).snapshots == 10


def test_files_that_belong_to_nothing_go_once_they_are_old(store: Store, state_dir: Path) -> None:
    kept = store.record(sighting("one", snapshot=picture()))
    assert kept.snapshot is not None
    orphan, half, fresh = (kept.snapshot.with_name(name) for name in ("lost.jpg", ".x.jpg.1.part", "being-written.jpg"))
    for path in (orphan, half, fresh):
        path.write_bytes(b"12345")
    for path in (kept.snapshot, orphan, half):
        age(path, NOON - timedelta(hours=2))
    age(fresh, NOON - timedelta(minutes=1))
    pruned = store.prune(KEEP_ALL, NOON)
    assert (pruned.orphans, pruned.freed_bytes) == (2, 10)
    assert sorted(path.name for path in kept.snapshot.parent.iterdir()) == ["being-written.jpg", "one.jpg"]


def test_folders_left_empty_go(store: Store, state_dir: Path) -> None:
    store.record(sighting("one", snapshot=picture()))
    store.prune(StoreConfig(keep_days=1), LATER)
    for folder in (state_dir / "snapshots").rglob("*"):
        age(folder, NOON)
    for _ in range(3):  # a folder that lost its last child has changed just now, and goes an hour later
        store.prune(KEEP_ALL, datetime.now(NOON.tzinfo) + timedelta(hours=2))
    assert list((state_dir / "snapshots").iterdir()) == []


def test_a_snapshot_deleted_by_hand_is_no_longer_named(store: Store) -> None:
    stored = store.record(sighting("one", snapshot=picture()))
    assert stored.snapshot is not None
    stored.snapshot.unlink()
    store.prune(KEEP_ALL, NOON)
    assert store.sighting("one").snapshot is None


def test_people_are_never_pruned(store: Store) -> None:
    store.add_person("Tom", [enrolled_face()])
    store.record(sighting("one", known("Tom")))
    store.prune(StoreConfig(keep_days=1), NOON + timedelta(days=4000))
    assert [person.name for person in store.people()] == ["Tom"]


def test_sightings_are_recorded_while_old_ones_are_removed(store: Store) -> None:
    for number in range(40):
        store.record(sighting(f"old{number}", snapshot=picture(8, 8)))
    now = datetime.now(NOON.tzinfo)
    stop = threading.Event()

    def keep_pruning() -> None:
        while True:  # once at least, however late this thread begins
            store.prune(StoreConfig(keep_days=1), now)
            if stop.is_set():
                return

    pruner = threading.Thread(target=keep_pruning)
    pruner.start()
    try:
        recorded = [store.record(sighting(f"new{n}", when=now, snapshot=picture(8, 8))) for n in range(30)]
    finally:
        stop.set()
        pruner.join()
    assert len(identifiers(store)) == 30
    assert all(one.snapshot and one.snapshot.exists() for one in recorded)
