"""Paths of snapshots that somebody wrote into the database."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from facesecure.config import StoreConfig
from facesecure.domain import Alert, AlertKind
from facesecure.domain.deliveries import PlannedDelivery
from facesecure.storage.snapshots import is_snapshot_path
from facesecure.storage.store import DATABASE_NAME, Store
from support.faults.table import attack
from support.store import NOON, picture, sighting

PLANTED = (
    "../secret", "/root/secret", "snapshots/../../secret", "snapshots/2026/05/01/../../../../secret", "facesecure.db",
    "snapshots", "snapshots/2026/05/01", "snapshots/2026/05/01/.hidden.jpg", "snapshots/2026/05/01/a.jpg\n", "",
    "snapshots/2026/05/01/a\x00.jpg", "snapshots/2026/5/1/a.jpg", "snapshots/2026/05/01/a/b.jpg",
    "SNAPSHOTS/2026/05/01/a.jpg", "snapshots/2026/05/01/a.png", "snapshots//2026/05/01/a.jpg",
    "./snapshots/2026/05/01/a.jpg", "snapshots/٢٠٢٦/05/01/a.jpg",
)  # fmt: skip


def plant(state: Path, path: str) -> None:
    with closing(sqlite3.connect(state / DATABASE_NAME)) as database, database:
        database.execute("UPDATE sightings SET snapshot = ?, snapshot_bytes = 1000000000", (path,))


@attack(
    "a snapshot's path in the database is changed",
    how="18 paths to other files, out of the folder, with dots, a line feed, a null byte, other digits; then shown, "
    "pruned for its size and its age, its person removed",
)
def test_a_path_that_is_no_snapshot_is_never_shown_nor_deleted(
    tmp_path: Path, saw: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a letter")
    caplog.set_level(logging.WARNING)
    for number, path in enumerate(PLANTED):
        assert not is_snapshot_path(path)
        state = tmp_path / f"state{number}"
        with Store.open(state) as store:
            store.record(sighting("one", when=NOON, snapshot=picture()))
            plant(state, path)
            assert store.sighting("one").snapshot is None
            assert [one.snapshot for one in store.each_sighting()] == [None]
            store.prune(StoreConfig(keep_days=0, max_snapshot_mb=1), NOON)
            plant(state, path)
            store.prune(StoreConfig(keep_days=1), NOON.replace(year=NOON.year + 1))
            assert list(store.each_sighting()) == []
        assert secret.read_text() == "a letter"
        assert (state / DATABASE_NAME).exists()
    assert "which is ignored" in caplog.text
    saw(f"{len(PLANTED)} of {len(PLANTED)} shown as no snapshot, with a warning; nothing else was deleted")


@attack(
    "an alert in the database names another file as its snapshot",
    how="an alert that waits for its webhook, with the key, /etc/passwd or a file beside the snapshots as its picture",
)
def test_an_alert_attaches_no_other_file(tmp_path: Path, saw: Callable[[str], None]) -> None:
    planted = (tmp_path / "key", Path("/etc/passwd"), tmp_path / "snapshots" / "key", tmp_path / "a" / "b.jpg")
    for number, path in enumerate(planted):
        with Store.open(tmp_path / f"state{number}") as store:
            store.outbox.write(alert(path), [PlannedDelivery("webhook", NOON + timedelta(days=9999))])
            (waiting,) = store.outbox.pending()
            assert waiting.alert.snapshot_path is None
    real = tmp_path / "snapshots" / "2026" / "05" / "01" / "one.jpg"
    with Store.open(tmp_path / "real") as store:
        store.outbox.write(alert(real), [PlannedDelivery("webhook", NOON + timedelta(days=9999))])
        (waiting,) = store.outbox.pending()
        assert waiting.alert.snapshot_path == real
    saw(f"{len(planted)} of {len(planted)} sent without a picture")


def alert(snapshot: Path) -> Alert:
    return Alert(AlertKind.SERVICE, "text", "speech", snapshot_path=snapshot)
