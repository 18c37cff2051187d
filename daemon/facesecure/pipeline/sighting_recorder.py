"""Keeps sightings, and never lets a full disk silence an alarm: what cannot be written is said and still told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from facesecure.domain import Sighting, VerdictKind
from facesecure.domain.errors import DiskFullError, StoreError

_log = logging.getLogger(__name__)


class StoredSighting(Protocol):
    @property
    def snapshot(self) -> Path | None: ...


class SightingStore(Protocol):
    """The two things needed of ``store.Store``; both raise StoreError."""

    def record(self, sighting: Sighting) -> StoredSighting: ...

    def update(self, sighting: Sighting) -> None: ...


def _to_nobody(identifier: str) -> None:
    """For a store that keeps no visitors."""


def _unheard() -> None:
    """For when nobody asks whether the disk is full."""


class SightingRecorder:
    """Writes what the witness says. ``lost`` counts what could not be written."""

    def __init__(
        self,
        store: SightingStore,
        group: Callable[[str], object] = _to_nobody,
        on_full: Callable[[], object] = _unheard,
    ) -> None:
        """``group`` is given the identifier of each stranger's sighting when it has ended; may raise StoreError.

        ``on_full`` is called when the disk has no more room; again only after something could be written.
        """
        self._store = store
        self._group = group
        self._on_full, self._full = on_full, False
        self.lost = 0

    def record(self, sighting: Sighting) -> Path | None:
        """Write ``sighting``, or when it is closing bring it up to date. Returns where the snapshot is.

        What a drill staged is no history: nobody was there.
        """
        if sighting.staged:
            return None
        try:
            if sighting.closing:
                self._close(sighting)
                return None
            snapshot = self._store.record(sighting).snapshot
            self._full = False
            return snapshot
        except StoreError as error:
            self.lost += 1
            _log.error("a sighting was not kept (%d so far): %s", self.lost, error)
            self._hear_of(error)
            return None

    def _hear_of(self, error: StoreError) -> None:
        first, self._full = not self._full, self._full or isinstance(error, DiskFullError)
        if first and self._full:
            self._on_full()

    def _close(self, sighting: Sighting) -> None:
        self._store.update(sighting)
        if sighting.verdict.kind is not VerdictKind.STRANGER:
            return
        try:
            self._group(sighting.identifier)
        except StoreError as error:
            _log.warning("whose visit this was is found out at the next start: %s", error)
