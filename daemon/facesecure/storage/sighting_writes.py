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
        sightings.add(session, self.sighting, self.snapshot, self.size, self.at)
        session.flush()
        sighting_faces.keep(session, self.sighting)


class CloseSighting(SightingWrite):
    """Update a sighting at its end."""

    def apply(self, session: Session, *, deferred: bool) -> None:
        """Update it. Raises StoreError if it is not stored, unless it was ``deferred``."""
        if deferred and session.get(SightingRow, self.sighting.identifier) is None:
            _log.error("the end of sighting %s is not kept: its beginning was not either", self.sighting.identifier)
            return
        sightings.update(session, self.sighting, self.snapshot, self.size)
        sighting_faces.keep(session, self.sighting)


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
