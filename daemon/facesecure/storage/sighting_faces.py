"""The faces kept with sightings, and the copies of them that were marked: inside the session that is given."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from facesecure.domain import AlignedFace, Embedding, Quality, SeenFace, Sighting
from facesecure.domain.records import Embeddings, StoredFace, check_embedding
from facesecure.recognition.gallery import HardNegative
from facesecure.recognition.templates import template_of
from facesecure.recognition.visitor_matching import VisitEmbedding
from facesecure.storage.encryption import (
    MARKED_CROP,
    MARKED_EMBEDDING,
    SEEN_CROP,
    SEEN_EMBEDDING,
    FieldCipher,
    cipher_of,
    mark_context,
    sighting_context,
)
from facesecure.storage.tables import MarkedFaceRow, PersonRow, SeenFaceRow, SightingRow, VisitorRow
from facesecure.vision.images.codec import png_bytes, png_image

_log = logging.getLogger(__name__)


def keep(session: Session, sighting: Sighting) -> None:
    """Keep the faces of ``sighting`` instead of those it had, and of those of the sighting that it corrects."""
    if not sighting.faces:
        return
    outdated = [sighting.identifier] + ([sighting.supersedes] if sighting.supersedes else [])
    session.execute(delete(SeenFaceRow).where(SeenFaceRow.sighting.in_(outdated)))
    vault = cipher_of(session)
    session.add_all(_seen_row(vault, sighting.identifier, face) for face in sighting.faces)
    session.flush()


def of(session: Session, identifiers: Iterable[str]) -> list[StoredFace]:
    """The faces of those sightings that can be read, oldest first."""
    query, vault = select(SeenFaceRow).where(SeenFaceRow.sighting.in_(list(identifiers))), cipher_of(session)
    rows = session.scalars(query.order_by(SeenFaceRow.taken_at))
    return [StoredFace(row.sighting, face) for row in rows for face in _seen(vault, row)]


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
    faces, vault = of(session, [identifier]), cipher_of(session)
    session.add_all(_marked_row(vault, identifier, visitor, not_person, face.seen) for face in faces)
    session.flush()
    return len(faces)


def unmark(session: Session, identifier: str) -> None:
    """Take back every mark on the faces of a sighting."""
    session.execute(delete(MarkedFaceRow).where(MarkedFaceRow.sighting == identifier))


def visits_by_visitor(session: Session, model_sha256: str) -> dict[int, list[VisitEmbedding]]:
    """The visits of everybody who has no name yet, by visitor; marked faces stand in where the sighting is gone."""
    unnamed, vault = VisitorRow.name.is_(None), cipher_of(session)
    seen = (
        select(SightingRow.visitor_id, SeenFaceRow.sighting, _clarity(SeenFaceRow.quality), SeenFaceRow.embedding)
        .join(SightingRow, SightingRow.identifier == SeenFaceRow.sighting)
        .join(VisitorRow, VisitorRow.id == SightingRow.visitor_id)
        .where(unnamed, SeenFaceRow.model_sha256 == model_sha256)
    )
    marked = (
        select(
            MarkedFaceRow.visitor_id,
            MarkedFaceRow.sighting,
            _clarity(MarkedFaceRow.quality),
            MarkedFaceRow.embedding,
            MarkedFaceRow.not_person_id,
        )
        .join(VisitorRow, VisitorRow.id == MarkedFaceRow.visitor_id)
        .where(unnamed, MarkedFaceRow.model_sha256 == model_sha256)
    )
    found = _by_visit(
        (visitor, sighting, clarity, _embedding(vault, blob, MARKED_EMBEDDING, mark_context(visitor, not_person)))
        for visitor, sighting, clarity, blob, not_person in session.execute(marked)
    ) | _by_visit(
        (visitor, sighting, clarity, _embedding(vault, blob, SEEN_EMBEDDING, sighting_context(sighting)))
        for visitor, sighting, clarity, blob in session.execute(seen)
    )
    visits: dict[int, list[VisitEmbedding]] = {}
    for (visitor, _), faces in found.items():
        embeddings, clarities = zip(*faces, strict=True)
        visits.setdefault(visitor, []).append(VisitEmbedding.of(np.stack(embeddings), clarities))
    return visits


def _by_visit(
    rows: Iterable[tuple[int | None, str, float, Embedding | None]],
) -> dict[tuple[int, str], list[tuple[Embedding, float]]]:
    visits: dict[tuple[int, str], list[tuple[Embedding, float]]] = {}
    for visitor, sighting, clarity, embedding in rows:
        if visitor is not None and embedding is not None:
            visits.setdefault((visitor, sighting), []).append((embedding, clarity))
    return visits


def _clarity(quality: InstrumentedAttribute[dict[str, Any]]) -> ColumnElement[float]:
    """The one measure that is needed of many faces: SQLite finds it sooner than all of them are read."""
    return func.json_extract(quality, "$.clarity")


def marked(session: Session, model_sha256: str) -> Embeddings:
    """Embeddings by that model of every face marked, float32 (n, d); (0, 0) where there is none. None comes twice."""
    query = select(MarkedFaceRow.embedding, MarkedFaceRow.visitor_id, MarkedFaceRow.not_person_id)
    query = query.where(MarkedFaceRow.model_sha256 == model_sha256)
    rows, vault = session.execute(query.order_by(MarkedFaceRow.taken_at, MarkedFaceRow.id)), cipher_of(session)
    found = [_embedding(vault, blob, MARKED_EMBEDDING, mark_context(visitor, person)) for blob, visitor, person in rows]
    distinct = {one.tobytes(): one for one in found if one is not None}
    return np.stack(list(distinct.values())) if distinct else np.empty((0, 0), np.float32)


def hard_negatives(session: Session, model_sha256: str) -> list[HardNegative]:
    """Whom each person was mistaken for. Nobody "who is known" means: of those who were enrolled by then."""
    mistaken = (MarkedFaceRow.not_person_id == PersonRow.id) | (
        MarkedFaceRow.not_person_id.is_(None) & (PersonRow.created_at <= MarkedFaceRow.marked_at)
    )
    query = (
        select(PersonRow.name, MarkedFaceRow.visitor_id, MarkedFaceRow.not_person_id, MarkedFaceRow.embedding)
        .join(PersonRow, mistaken)
        .where(MarkedFaceRow.model_sha256 == model_sha256)
        .order_by(PersonRow.name_key, MarkedFaceRow.visitor_id, MarkedFaceRow.id)
    )
    faces, vault = dict[tuple[str, int], list[Embedding]](), cipher_of(session)
    for name, visitor, not_person, blob in session.execute(query):
        embedding = _embedding(vault, blob, MARKED_EMBEDDING, mark_context(visitor, not_person))
        if embedding is not None:
            faces.setdefault((name, visitor), []).append(embedding)
    return [HardNegative(name, template_of(np.stack(found))) for (name, _), found in faces.items()]


def _seen_row(vault: FieldCipher, sighting: str, face: SeenFace) -> SeenFaceRow:
    owner = sighting_context(sighting)
    return SeenFaceRow(
        sighting=sighting,
        embedding=vault.encrypt(_blob(face), SEEN_EMBEDDING, owner),
        crop_png=vault.encrypt(png_bytes(face.face.image), SEEN_CROP, owner),
        **_values(face),
    )


def _marked_row(
    vault: FieldCipher, sighting: str, visitor: int, not_person: int | None, face: SeenFace
) -> MarkedFaceRow:
    owner = mark_context(visitor, not_person)
    return MarkedFaceRow(
        sighting=sighting,
        visitor_id=visitor,
        not_person_id=not_person,
        marked_at=datetime.now(UTC),
        embedding=vault.encrypt(_blob(face), MARKED_EMBEDDING, owner),
        crop_png=vault.encrypt(png_bytes(face.face.image), MARKED_CROP, owner),
        **_values(face),
    )


def _values(face: SeenFace) -> dict[str, Any]:
    return {"taken_at": face.taken_at, "model_sha256": face.model_sha256, "quality": asdict(face.face.quality)}


def _blob(face: SeenFace) -> bytes:
    check_embedding(face.embedding)
    return face.embedding.astype("<f4").tobytes()


def _embedding(vault: FieldCipher, sealed: bytes, place: str, owner: str) -> Embedding | None:
    """What was sealed; None, and a word in the log, where it cannot be read."""
    try:
        return np.frombuffer(vault.decrypt(sealed, place, owner), "<f4").astype(np.float32)
    except ValueError as error:
        _log.warning("a face kept of %s is left out: %s", owner, error)
        return None


def _seen(vault: FieldCipher, row: SeenFaceRow) -> Iterator[SeenFace]:
    """The face, or nothing where it cannot be read."""
    owner = sighting_context(row.sighting)
    embedding = _embedding(vault, row.embedding, SEEN_EMBEDDING, owner)
    if embedding is None:
        return
    try:
        image = png_image(vault.decrypt(row.crop_png, SEEN_CROP, owner))
    except ValueError as error:
        _log.warning("a face kept of %s is left out: %s", owner, error)
        return
    quality = Quality(**{**row.quality, "reasons": tuple(row.quality["reasons"])})
    yield SeenFace(AlignedFace(image, quality), embedding, row.model_sha256, row.taken_at)
