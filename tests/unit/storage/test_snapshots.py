"""Snapshot files and their folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesecure.storage.snapshots import Snapshots
from facesecure.util.files import write_durably
from support.builders import NOON


def test_a_day_folder_that_vanished_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[Path] = []

    def once_gone(path: Path, data: bytes) -> None:
        attempts.append(path)
        if len(attempts) == 1:
            path.parent.rmdir()  # another process tidies up at this very moment
        write_durably(path, data)

    monkeypatch.setattr("facesecure.storage.snapshots.write_durably", once_gone)
    snapshots = Snapshots(tmp_path)
    relative = snapshots.write("one", NOON, b"12345")
    assert snapshots.path(relative).read_bytes() == b"12345"


def test_removing_what_is_gone_frees_nothing(tmp_path: Path) -> None:
    assert Snapshots(tmp_path).remove("snapshots/2026/05/01/one.jpg") == 0
