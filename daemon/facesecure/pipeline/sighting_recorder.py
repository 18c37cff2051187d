"""Record sightings in the store; a write that fails is logged and counted, and the alert is still sent."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from facesecure.domain import Sighting, VerdictKind
from facesecure.domain.errors import DiskFullError, StoreError
from facesecure.domain.mode import Mode

_log = logging.getLogger(__name__)


class RecordedSighting(Protocol):
    """A sighting as the store returns it; only the path of its snapshot is used here."""

    @property
    def snapshot(self) -> Path | None:
        """The snapshot's file, None where none was written."""


class SightingStore(Protocol):
    """The part of ``storage.store.Store`` that is used here; both methods raise StoreError."""

    def record(self, sighting: Sighting) -> RecordedSighting:
        """Write a new sighting with its snapshot and faces."""

    def update(self, sighting: Sighting) -> None:
        """Replace the figures, snapshot and faces of a recorded sighting."""


def _no_visitors(identifier: str) -> None:
    """Ignore a stranger's sighting, for a store without visitors."""


def _no_mode() -> None:
    """Return that the mode is not known, where there is no policy."""


def _ignore_full_disk() -> None:
    """Ignore that the disk is full."""


class SightingRecorder:
    """Writes sightings to the store. ``lost`` counts those that could not be written.

    Example::

        snapshot = SightingRecorder(store).record(sighting)
    """

    def __init__(
        self,
        store: SightingStore,
        group: Callable[[str], object] = _no_visitors,
        on_full: Callable[[], object] = _ignore_full_disk,
        mode: Callable[[], Mode | None] = _no_mode,
    ) -> None:
        """``group`` receives the identifier of each stranger's sighting once it has ended; it may raise StoreError.

        ``on_full`` is called when the disk is full, and again only after a write has succeeded in between.
        ``mode`` returns that of the household, which is written with each sighting.
        """
        self._store = store
        self._group, self._mode = group, mode
        self._on_full, self._full = on_full, False
        self.lost = 0
        self._lost_open = set[str]()
        """Sightings that were lost and have not ended."""

    def record(self, sighting: Sighting) -> Path | None:
        """Write ``sighting``, or update it if it is closing. Return the path of its snapshot.

        A staged sighting is not written: a drill made it. Raises nothing: a StoreError is logged and counted.
        """
        if sighting.staged or (sighting.closing and self._was_lost(sighting)):
            return None
        try:
            if sighting.closing:
                self._close(sighting)
                return None
            snapshot = self._store.record(replace(sighting, mode=self._mode())).snapshot
            self._full = False
            return snapshot
        except StoreError as error:
            self.lost += 1
            if not sighting.closing:
                self._lost_open.add(sighting.identifier)
            _log.error("a sighting was not kept (%d so far): %s", self.lost, error)
            self._report_full(error)
            return None

    def _was_lost(self, sighting: Sighting) -> bool:
        """Return whether the beginning of ``sighting`` was lost, and forget that."""
        lost = sighting.identifier in self._lost_open
        self._lost_open.discard(sighting.identifier)
        return lost

    def _report_full(self, error: StoreError) -> None:
        first, self._full = not self._full, self._full or isinstance(error, DiskFullError)
        if first and self._full:
            self._on_full()

    def _close(self, sighting: Sighting) -> None:
        self._store.update(sighting)
        if sighting.verdict.kind is not VerdictKind.STRANGER or sighting.doubt:
            return
        try:
            self._group(sighting.identifier)
        except StoreError as error:
            _log.warning("this stranger's visit will be assigned to a visitor at the next start: %s", error)
