"""A planted journal of deferred writes, which the daemon reads before anything else."""

from __future__ import annotations

import os
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

from facesecure.storage.deferred_journal import Journal, journal_of
from facesecure.storage.store import Store
from support.faults.table import attack

GIGABYTE = 1 << 30


def planted(path: Path, length: int, check: int) -> None:
    """Write a journal with one write of ``length`` zeros, which takes no space on the disk."""
    path.write_bytes(b"fs-deferred1" + struct.pack("<II", length, check))
    os.truncate(path, path.stat().st_size + length)


@attack(
    "a bomb as the journal of deferred writes",
    how="a sparse file whose one write has 1 GB, and 200 MB with the right sum",
)
def test_a_journal_takes_no_more_memory_than_a_write(tmp_path: Path, saw: Callable[[str], None]) -> None:
    with Store.open(tmp_path):
        pass
    path, peaks = journal_of(tmp_path / "facesecure.db"), []
    for length, check in ((GIGABYTE, 0), (200_000_000, zlib.crc32(bytes(200_000_000)))):
        planted(path, length, check)
        tracemalloc.start()
        try:
            journal = Journal(path, lambda: None)  # type: ignore[arg-type, return-value]
            assert journal.resume() == []
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert not path.exists()
        with Store.open(tmp_path) as store:
            assert store.outbox.pending() == []
    assert max(peaks) < 32_000_000
    saw(f"left out; {max(peaks) / 1e6:.1f} MB at most")
