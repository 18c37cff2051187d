"""A daemon starts on a disk that is full to the last byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.domain.errors import StoreError
from facesecure.storage.store import Store
from support.faults.disks import fill, small_disk


def household(state: Path, *, snapshots: int = 0, backups: int = 0) -> None:
    """A state directory with a database, snapshots of a megabyte each, one a day, and backups."""
    Store.open(state).close()
    for number in range(1, backups + 1):
        (state / "backups").mkdir(exist_ok=True)
        (state / "backups" / f"facesecure-{number:06}-202611{number:02}.db").write_bytes(bytes(1_000_000))
    for day in range(1, snapshots + 1):
        folder = state / "snapshots" / "2026" / "11" / f"{day:02}"
        folder.mkdir(parents=True)
        (folder / f"visit-{day}.jpg").write_bytes(bytes(1_000_000))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_start_on_a_full_disk_lets_the_oldest_snapshots_go_and_says_so(tmp_path, caplog):
    with small_disk(tmp_path / "state", "9m") as state:
        household(state, snapshots=6)
        fill(state)
        with Store.open(state, resident=True) as store:
            assert store.people() == []
            assert store.freed == 4_000_000
        assert names(state / "snapshots") == ["visit-5.jpg", "visit-6.jpg"]
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    assert "the disk is full" in caplog.text


def test_backups_go_after_the_snapshots_but_never_the_newest(tmp_path):
    with small_disk(tmp_path / "state", "8m") as state:
        household(state, snapshots=1, backups=4)
        newest = max(names(state / "backups"))
        fill(state)
        with Store.open(state, resident=True) as store:
            assert store.freed
        assert names(state / "snapshots") == []
        assert names(state / "backups") == [newest]


def test_where_there_is_nothing_to_let_go_the_full_disk_is_said(tmp_path):
    with small_disk(tmp_path / "state", "4m") as state:
        household(state)
        fill(state)
        with pytest.raises(StoreError, match="the disk is full"):
            Store.open(state, resident=True)


def test_nothing_goes_where_there_is_room_or_another_command_looks_in(tmp_path):
    with small_disk(tmp_path / "state", "8m") as state:
        household(state, snapshots=2)
        with Store.open(state, resident=True) as store:
            assert store.freed == 0
        fill(state)
        with pytest.raises(StoreError, match="the disk is full"):
            Store.open(state)
        assert names(state / "snapshots") == ["visit-1.jpg", "visit-2.jpg"]
        assert not (state / ".room").exists()
