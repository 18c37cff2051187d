"""Record sightings: the snapshot's file first, then the row and the faces, now or when the database is free."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace

from facesecure.domain import Sighting
from facesecure.domain.errors import BusyError
from facesecure.domain.records import StoredSighting
from facesecure.storage.database import Database
from facesecure.storage.sighting_writes import CloseSighting, RecordSighting
from facesecure.storage.sightings import require_known, require_new, row_of, stored
from facesecure.storage.snapshots import Snapshots, safe_identifier
from facesecure.storage.writes import Writer
from facesecure.vision.images.codec import jpeg_bytes

_READ_TIMEOUT = 0.05
"""Seconds to wait, before the snapshot is written, to look up whether the sighting is stored."""

_log = logging.getLogger(__name__)


class Recorder:
    """Writes sightings with their snapshots and faces; ``Store.record`` and ``Store.update`` document the errors."""

    def __init__(
        self, database: Database, snapshots: Snapshots, writer: Writer, keep_snapshots: bool, keep_faces: bool
    ) -> None:
        self._database, self._snapshots, self._writer = database, snapshots, writer
        self._keep_snapshots, self._keep_faces = keep_snapshots, keep_faces

    def record(self, sighting: Sighting) -> StoredSighting:
        """Write a new sighting. The snapshot file is written first, and removed if the row cannot be kept."""
        safe_identifier(sighting.identifier)
        with suppress(BusyError), self._database.read(_READ_TIMEOUT) as session:
            require_new(session, sighting.identifier)
        snapshot, size = self._write_snapshot(sighting)
        write = RecordSighting(self._kept(sighting), snapshot, size)
        try:
            self._writer.do(write)
        except BaseException:
            if snapshot:
                self._snapshots.remove(snapshot)
            raise
        return stored(row_of(sighting, snapshot, size, write.at), None, self._snapshots)

    def update(self, sighting: Sighting) -> None:
        """Update a stored sighting at its end."""
        if not self._writer.waiting:
            with suppress(BusyError), self._database.read(_READ_TIMEOUT) as session:
                require_known(session, sighting.identifier)
        snapshot, size = self._write_snapshot(sighting)
        self._writer.do(CloseSighting(self._kept(sighting), snapshot, size))

    def _kept(self, sighting: Sighting) -> Sighting:
        """Return the sighting as its row and its faces are kept, without the pixels of its snapshot."""
        return replace(sighting, snapshot=None, faces=sighting.faces if self._keep_faces else ())

    def _write_snapshot(self, sighting: Sighting) -> tuple[str | None, int]:
        """Write the snapshot; return its relative path and size, (None, 0) if none is stored."""
        if sighting.snapshot is None or not self._keep_snapshots:
            return None, 0
        try:
            data = jpeg_bytes(sighting.snapshot)
            return self._snapshots.write(sighting.identifier, sighting.first_seen, data), len(data)
        except OSError as error:
            _log.warning("no snapshot of sighting %s is stored: %s", sighting.identifier, error)
            return None, 0
