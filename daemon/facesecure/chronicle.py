"""Keeps sightings, and never lets a full disk silence an alarm: what cannot be written is said and still told."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol

from facesecure.domain import Sighting
from facesecure.errors import StoreError

_log = logging.getLogger(__name__)


class StoredSighting(Protocol):
    @property
    def snapshot(self) -> Path | None: ...


class SightingStore(Protocol):
    """The two things needed of ``store.Store``; both raise StoreError."""

    def record(self, sighting: Sighting) -> StoredSighting: ...

    def update(self, sighting: Sighting) -> None: ...


class Chronicle:
    """Writes what the witness says. ``lost`` counts what could not be written."""

    def __init__(self, store: SightingStore) -> None:
        self._store = store
        self.lost = 0

    def keep(self, sighting: Sighting) -> Path | None:
        """Write ``sighting``, or when it is closing bring it up to date. Returns where the snapshot is."""
        try:
            if sighting.closing:
                self._store.update(sighting)
                return None
            return self._store.record(sighting).snapshot
        except StoreError as error:
            self.lost += 1
            _log.error("a sighting was not kept (%d so far): %s", self.lost, error)
            return None
