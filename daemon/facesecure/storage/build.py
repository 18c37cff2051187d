"""Open the store as the daemon uses it."""

from __future__ import annotations

from pathlib import Path

from facesecure.config import StoreConfig
from facesecure.storage.store import Store


def build_store(config: StoreConfig, state_dir: Path) -> Store:
    """Open the daemon's store in ``state_dir``, restoring a damaged database from its newest backup.

    What is kept of a sighting follows ``config``. Use the store as a context manager, or close it. Raises StoreError
    as ``Store.open`` does.
    """
    return Store.open(state_dir, keep_snapshots=config.snapshots, keep_faces=config.faces, resident=True)
