"""The writes of sightings as values: a new one, and its end."""

from __future__ import annotations

import base64
import logging
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from facesecure.domain import AlignedFace, SeenFace, Sighting
from facesecure.domain.wire.alerts import StoredSightingOfAlert
from facesecure.storage import sighting_faces, sightings
from facesecure.storage.forgotten import Forgotten, remember
from facesecure.storage.redrawing import show_only, snapshots_of
from facesecure.storage.tables import SightingRow
from facesecure.storage.values import embedding_bytes, embedding_from, quality_from
from facesecure.vision.images.codec import png_bytes, png_image

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SightingWrite:
    """What both writes of a sighting hold: ``snapshot`` is the file's relative path, ``size`` its bytes.

    The sighting holds the faces to store, and no pixels of the snapshot.
    """

    beside: ClassVar[bool] = False
    sighting: Sighting
    snapshot: str | None
    size: int
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def _allowed(self, session: Session) -> tuple[Sighting, str | None, int]:
        """Return the sighting, snapshot and size to write, without what was removed since the visit began."""
        if not (removed := Forgotten.of(session)):
            return self.sighting, self.snapshot, self.size
        sighting, snapshots = removed.sighting(self.sighting), snapshots_of(session)
        if self.snapshot is None or removed.is_removed(self.sighting):
            if self.snapshot is not None:
                snapshots.remove(self.snapshot)
            if removed.is_removed(self.sighting):
                remember(session, "", "", [self.sighting.identifier])
            return sighting, None, 0
        if not removed.may_show_others(self.sighting):
            return sighting, self.snapshot, self.size
        box = None if self.sighting.track is None else self.sighting.box  # without a track it is around no face
        shown = (box.left, box.top, box.right, box.bottom) if box else (0, 0, 0, 0)
        size = show_only(snapshots, self.snapshot, shown)
        return sighting, self.snapshot if size else None, size

    def document(self) -> dict[str, Any]:
        """Return the write as JSON."""
        return {
            "sighting": StoredSightingOfAlert.of(self.sighting).as_json(),
            "faces": [_face_document(face) for face in self.sighting.faces],
            "snapshot": self.snapshot,
            "size": self.size,
            "at": self.at.isoformat(),
        }

    @classmethod
    def fields_of(cls, document: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of the write that ``document`` was made of. Raises ValueError or KeyError."""
        sighting = StoredSightingOfAlert.model_validate(document["sighting"]).sighting()
        faces = tuple(_face_from(face) for face in document["faces"])
        return {
            "sighting": replace(sighting, faces=faces),
            "snapshot": document["snapshot"],
            "size": int(document["size"]),
            "at": datetime.fromisoformat(document["at"]),
        }


class RecordSighting(SightingWrite):
    """Insert a new sighting with its faces."""

    def apply(self, session: Session, *, deferred: bool) -> None:
        """Insert it. Raises StoreError if it is stored already, unless it was ``deferred``."""
        if not deferred:
            sightings.require_new(session, self.sighting.identifier)
        elif session.get(SightingRow, self.sighting.identifier) is not None:
            return
        sighting, snapshot, size = self._allowed(session)
        sightings.add(session, sighting, snapshot, size, self.at)
        session.flush()
        sighting_faces.keep(session, sighting)


class CloseSighting(SightingWrite):
    """Update a sighting at its end."""

    def apply(self, session: Session, *, deferred: bool) -> None:
        """Update it. Raises StoreError if it is not stored, unless it was ``deferred``."""
        if deferred and session.get(SightingRow, self.sighting.identifier) is None:
            _log.error("the end of sighting %s is not kept: its beginning was not either", self.sighting.identifier)
            return
        sighting, snapshot, size = self._allowed(session)
        sightings.update(session, sighting, snapshot, size)
        sighting_faces.keep(session, sighting)


def _face_document(seen: SeenFace) -> dict[str, Any]:
    return {
        "crop": base64.b64encode(png_bytes(seen.face.image)).decode(),
        "quality": asdict(seen.face.quality),
        "embedding": base64.b64encode(embedding_bytes(seen.embedding)).decode(),
        "model": seen.model_sha256,
        "at": seen.taken_at.isoformat(),
    }


def _face_from(document: dict[str, Any]) -> SeenFace:
    image = png_image(base64.b64decode(document["crop"]))
    embedding = embedding_from(base64.b64decode(document["embedding"]))
    face = AlignedFace(image, quality_from(document["quality"]))
    return SeenFace(face, embedding, document["model"], datetime.fromisoformat(document["at"]))
