"""Writes sightings down, with as much of their pictures as the household wants kept."""

from __future__ import annotations

import logging

from facesecure.domain import Sighting
from facesecure.store import seen_faces, sightings
from facesecure.store.database import Database
from facesecure.store.pictures import jpeg_bytes
from facesecure.store.records import StoredSighting
from facesecure.store.snapshots import Snapshots, safe_identifier

log = logging.getLogger(__name__)


class Recorder:
    """A part of ``Store``, whose ``record`` and ``update`` say what these do and raise."""

    def __init__(self, database: Database, snapshots: Snapshots, *, keep_snapshots: bool, keep_faces: bool) -> None:
        self._database, self._snapshots = database, snapshots
        self._keep_snapshots, self._keep_faces = keep_snapshots, keep_faces

    def record(self, sighting: Sighting) -> StoredSighting:
        """Write a new ``sighting``: first the snapshot's file, which goes again where the row cannot be written."""
        safe_identifier(sighting.identifier)
        with self._database.read() as session:
            sightings.require_new(session, sighting.identifier)
        snapshot, size = self._write_snapshot(sighting)
        try:
            with self._database.write() as session:
                row = sightings.add(session, sighting, snapshot, size)
                session.flush()
                if self._keep_faces:
                    seen_faces.keep(session, sighting)
                return sightings.stored(row, None, self._snapshots)
        except BaseException:
            if snapshot:
                self._snapshots.remove(snapshot)
            raise

    def update(self, sighting: Sighting) -> None:
        """Rewrite a recorded ``sighting`` at its end."""
        with self._database.read() as session:
            sightings.require_known(session, sighting.identifier)
        snapshot, size = self._write_snapshot(sighting)
        with self._database.write() as session:
            sightings.update(session, sighting, snapshot, size)
            if self._keep_faces:
                seen_faces.keep(session, sighting)

    def _write_snapshot(self, sighting: Sighting) -> tuple[str | None, int]:
        """The file's name and size; (None, 0) where none is kept."""
        if sighting.snapshot is None or not self._keep_snapshots:
            return None, 0
        try:
            data = jpeg_bytes(sighting.snapshot)
            return self._snapshots.write(sighting.identifier, sighting.first_seen, data), len(data)
        except OSError as error:
            log.warning("no snapshot of sighting %s is kept: %s", sighting.identifier, error)
            return None, 0
