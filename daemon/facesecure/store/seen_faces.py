"""The faces kept with sightings, and the copies of them that were marked: inside the session that is given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from facesecure.domain import AlignedFace, Embedding, Quality, SeenFace, Sighting
from facesecure.recognize.decoys import Decoy
from facesecure.recognize.templates import Embeddings, template_of
from facesecure.recognize.visitors import Visit
from facesecure.store.models import MarkedFaceRow, PersonRow, SeenFaceRow, SightingRow, VisitorRow
from facesecure.store.pictures import png_bytes, png_image
from facesecure.store.records import StoredFace, check_embedding


def keep(session: Session, sighting: Sighting) -> None:
    """Keep the faces of ``sighting`` instead of those it had, and of those of the sighting that it corrects."""
    if not sighting.faces:
        return
    outdated = [sighting.identifier] + ([sighting.supersedes] if sighting.supersedes else [])
    session.execute(delete(SeenFaceRow).where(SeenFaceRow.sighting.in_(outdated)))
    session.add_all(SeenFaceRow(sighting=sighting.identifier, **_values(face)) for face in sighting.faces)
    session.flush()


def of(session: Session, identifiers: Iterable[str]) -> list[StoredFace]:
    """The faces of those sightings, oldest first."""
    query = select(SeenFaceRow).where(SeenFaceRow.sighting.in_(list(identifiers)))
    return [StoredFace(row.sighting, _seen(row)) for row in session.scalars(query.order_by(SeenFaceRow.taken_at))]


def forget(session: Session, identifiers: Iterable[str]) -> int:
    """Remove the faces of those sightings; returns how many."""
    gone = session.execute(delete(SeenFaceRow).where(SeenFaceRow.sighting.in_(list(identifiers))))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def mark(session: Session, identifier: str, visitor: int, not_person: int | None) -> int:
    """Remember the faces of a sighting as not that person's (None: nobody's who is known); returns how many."""
    session.execute(
        delete(MarkedFaceRow).where(
            MarkedFaceRow.sighting == identifier, MarkedFaceRow.not_person_id.is_not_distinct_from(not_person)
        )
    )
    faces, now = of(session, [identifier]), datetime.now(UTC)
    session.add_all(
        MarkedFaceRow(
            sighting=identifier, visitor_id=visitor, not_person_id=not_person, marked_at=now, **_values(face.seen)
        )
        for face in faces
    )
    session.flush()
    return len(faces)


def unmark(session: Session, identifier: str) -> None:
    """Take back every mark on the faces of a sighting."""
    session.execute(delete(MarkedFaceRow).where(MarkedFaceRow.sighting == identifier))


def visits_by_visitor(session: Session, model_sha256: str) -> dict[int, list[Visit]]:
    """The visits of everybody who has no name yet, by visitor; marked faces stand in where the sighting is gone."""
    unnamed = VisitorRow.name.is_(None)
    seen = (
        select(SightingRow.visitor_id, SeenFaceRow.sighting, _clarity(SeenFaceRow.quality), SeenFaceRow.embedding)
        .join(SightingRow, SightingRow.identifier == SeenFaceRow.sighting)
        .join(VisitorRow, VisitorRow.id == SightingRow.visitor_id)
        .where(unnamed, SeenFaceRow.model_sha256 == model_sha256)
    )
    marked = (
        select(
            MarkedFaceRow.visitor_id, MarkedFaceRow.sighting, _clarity(MarkedFaceRow.quality), MarkedFaceRow.embedding
        )
        .join(VisitorRow, VisitorRow.id == MarkedFaceRow.visitor_id)
        .where(unnamed, MarkedFaceRow.model_sha256 == model_sha256)
    )
    found = _by_visit(session.execute(marked)) | _by_visit(session.execute(seen))
    visits: dict[int, list[Visit]] = {}
    for (visitor, _), faces in found.items():
        embeddings, clarities = zip(*faces, strict=True)
        visits.setdefault(visitor, []).append(Visit.of(np.stack(embeddings), clarities))
    return visits


def _by_visit(rows: Iterable[Any]) -> dict[tuple[int, str], list[tuple[Embedding, float]]]:
    visits: dict[tuple[int, str], list[tuple[Embedding, float]]] = {}
    for visitor, sighting, clarity, blob in rows:
        visits.setdefault((visitor, sighting), []).append((np.frombuffer(blob, "<f4"), clarity))
    return visits


def _clarity(quality: InstrumentedAttribute[dict[str, Any]]) -> ColumnElement[float]:
    """The one measure that is needed of many faces: SQLite finds it sooner than all of them are read."""
    return func.json_extract(quality, "$.clarity")


def marked(session: Session, model_sha256: str) -> Embeddings:
    """Embeddings by that model of every face marked, float32 (n, d); (0, 0) where there is none. None comes twice."""
    query = select(MarkedFaceRow.embedding).where(MarkedFaceRow.model_sha256 == model_sha256)
    blobs = session.scalars(query.order_by(MarkedFaceRow.taken_at, MarkedFaceRow.id)).all()
    if not blobs:
        return np.empty((0, 0), np.float32)
    return np.stack([np.frombuffer(blob, "<f4").astype(np.float32) for blob in dict.fromkeys(blobs)])


def decoys(session: Session, model_sha256: str) -> list[Decoy]:
    """Whom each person was mistaken for. Nobody "who is known" means: of those who were enrolled by then."""
    mistaken = (MarkedFaceRow.not_person_id == PersonRow.id) | (
        MarkedFaceRow.not_person_id.is_(None) & (PersonRow.created_at <= MarkedFaceRow.marked_at)
    )
    query = (
        select(PersonRow.name, MarkedFaceRow.visitor_id, MarkedFaceRow.embedding)
        .join(PersonRow, mistaken)
        .where(MarkedFaceRow.model_sha256 == model_sha256)
        .order_by(PersonRow.name_key, MarkedFaceRow.visitor_id, MarkedFaceRow.id)
    )
    faces: dict[tuple[str, int], list[Any]] = {}
    for name, visitor, blob in session.execute(query):
        faces.setdefault((name, visitor), []).append(np.frombuffer(blob, "<f4"))
    return [Decoy(name, template_of(np.stack(found))) for (name, _), found in faces.items()]


def _values(face: SeenFace) -> dict[str, Any]:
    check_embedding(face.embedding)
    return {
        "taken_at": face.taken_at,
        "model_sha256": face.model_sha256,
        "quality": asdict(face.face.quality),
        "embedding": face.embedding.astype("<f4").tobytes(),
        "crop_png": png_bytes(face.face.image),
    }


def _seen(row: SeenFaceRow) -> SeenFace:
    quality = Quality(**{**row.quality, "reasons": tuple(row.quality["reasons"])})
    embedding = np.frombuffer(row.embedding, "<f4").astype(np.float32)
    return SeenFace(AlignedFace(png_image(row.crop_png), quality), embedding, row.model_sha256, row.taken_at)
