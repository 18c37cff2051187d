"""The faces stored with sightings, and the copies of them marked as a stranger's (see ``marked_strangers``).

Every function works inside the session that it is given.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, case, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from facesecure.domain import AlignedFace, Embedding, SeenFace, Sighting, VerdictKind
from facesecure.domain.records import StoredFace, check_embedding
from facesecure.recognition.visitor_matching import VisitEmbedding
from facesecure.storage import seals
from facesecure.storage.encryption import (
    MARKED_CROP,
    MARKED_EMBEDDING,
    SEEN_CROP,
    SEEN_EMBEDDING,
    FieldCipher,
    cipher_of,
    mark_context,
    seen_context,
    sighting_context,
)
from facesecure.storage.tables import MarkedFaceRow, PersonRow, SeenFaceRow, SightingRow, VisitorRow
from facesecure.storage.values import embedding_bytes, embedding_from, quality_from
from facesecure.vision.images.codec import png_bytes, png_image

_log = logging.getLogger(__name__)

_VisitorFace = tuple[int | None, str, float, Embedding | None]
"""The visitor, the sighting, how clear the face is, and its embedding, None if that cannot be read."""


def keep(session: Session, sighting: Sighting) -> None:
    """Store the faces of ``sighting``, replacing its earlier ones and those of the sighting that it corrects.

    Of a visit that may be a picture held up, none are kept: nobody is enrolled from it, and no visitor matched.
    """
    if not sighting.faces and not sighting.doubt:
        return
    outdated = [sighting.identifier] + ([sighting.supersedes] if sighting.supersedes else [])
    session.execute(delete(SeenFaceRow).where(SeenFaceRow.sighting.in_(outdated)))
    if sighting.doubt:
        return
    cipher = cipher_of(session)
    session.add_all(_seen_row(cipher, sighting.identifier, face) for face in sighting.faces)
    session.flush()


def of(session: Session, identifiers: Iterable[str]) -> list[StoredFace]:
    """Return the readable faces of sightings, oldest first."""
    query, cipher = select(SeenFaceRow).where(SeenFaceRow.sighting.in_(list(identifiers))), cipher_of(session)
    rows = session.scalars(query.order_by(SeenFaceRow.taken_at))
    return [StoredFace(row.sighting, face, row.id) for row in rows for face in _seen(cipher, row)]


def clearest(session: Session, identifiers: Iterable[str]) -> int | None:
    """Return the number of the clearest face of sightings; None if they have none."""
    query = select(SeenFaceRow.id).where(SeenFaceRow.sighting.in_(list(identifiers)))
    return session.scalar(query.order_by(clarity_of(SeenFaceRow.quality).desc(), SeenFaceRow.id).limit(1))


def one(session: Session, identifier: int | None) -> StoredFace | None:
    """Return the face with that number; None if there is none, or it cannot be read."""
    row, cipher = session.get(SeenFaceRow, identifier or 0), cipher_of(session)
    return None if row is None else next((StoredFace(row.sighting, face, row.id) for face in _seen(cipher, row)), None)


def unnamed(session: Session, models: set[str]) -> dict[tuple[str, str], list[Embedding]]:
    """Return the embeddings by ``models`` of the faces of sightings without a name, by (sighting, model)."""
    kind = func.coalesce(SightingRow.corrected_kind, SightingRow.kind)
    query = (
        select(SeenFaceRow.sighting, SeenFaceRow.model_sha256, SeenFaceRow.embedding)
        .join(SightingRow, SightingRow.identifier == SeenFaceRow.sighting)
        .where(kind != VerdictKind.KNOWN.value, SeenFaceRow.model_sha256.in_(models))
    )
    found, cipher = dict[tuple[str, str], list[Embedding]](), cipher_of(session)
    for sighting, model, blob in session.execute(query):
        embedding = readable_embedding(cipher, blob, SEEN_EMBEDDING, seen_context(sighting, model))
        if embedding is not None:
            found.setdefault((sighting, model), []).append(embedding)
    return found


def forget(session: Session, identifiers: Iterable[str]) -> int:
    """Remove the faces of sightings; return how many."""
    gone = session.execute(delete(SeenFaceRow).where(SeenFaceRow.sighting.in_(list(identifiers))))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def mark(session: Session, identifier: str, visitor: int, not_person: int | None) -> int:
    """Mark the faces of a sighting as not that person's (None: not any enrolled person's); return how many."""
    session.execute(
        delete(MarkedFaceRow).where(
            MarkedFaceRow.sighting == identifier, MarkedFaceRow.not_person_id.is_not_distinct_from(not_person)
        )
    )
    faces, cipher = of(session, [identifier]), cipher_of(session)
    person = None if not_person is None else session.get_one(PersonRow, not_person)
    session.add_all(_marked_row(cipher, identifier, visitor, person, face.seen) for face in faces)
    session.flush()
    return len(faces)


def unmark(session: Session, identifier: str) -> None:
    """Remove every mark on the faces of a sighting."""
    session.execute(delete(MarkedFaceRow).where(MarkedFaceRow.sighting == identifier))


def visits_by_visitor(session: Session, model_sha256: str) -> dict[int, list[VisitEmbedding]]:
    """Return the visits of each unnamed visitor; marked faces replace those of a sighting that was removed."""
    found = _by_visit(_marked_faces(session, model_sha256)) | _by_visit(_seen_faces(session, model_sha256))
    visits: dict[int, list[VisitEmbedding]] = {}
    for (visitor, _), faces in found.items():
        embeddings, clarities = zip(*faces, strict=True)
        visits.setdefault(visitor, []).append(VisitEmbedding.of(np.stack(embeddings), clarities))
    return visits


def _marked_faces(session: Session, model_sha256: str) -> Iterator[_VisitorFace]:
    """Yield the faces of unnamed visitors that were marked here."""
    query = (
        select(
            MarkedFaceRow.visitor_id,
            MarkedFaceRow.sighting,
            clarity_of(MarkedFaceRow.quality),
            MarkedFaceRow.embedding,
            PersonRow.uid,
            MarkedFaceRow.marked_at,
        )
        .join(VisitorRow, VisitorRow.id == MarkedFaceRow.visitor_id)
        .outerjoin(PersonRow, PersonRow.id == MarkedFaceRow.not_person_id)
        .where(VisitorRow.name.is_(None), MarkedFaceRow.model_sha256 == model_sha256, MarkedFaceRow.door.is_(None))
    )
    cipher = cipher_of(session)
    for visitor, sighting, clarity, blob, person, at in session.execute(query):
        context = mark_context(visitor, person, sighting, at, model_sha256)
        yield visitor, sighting, clarity, readable_embedding(cipher, blob, MARKED_EMBEDDING, context)


def _seen_faces(session: Session, model_sha256: str) -> Iterator[_VisitorFace]:
    """Yield the faces of the sightings that are visits of unnamed visitors."""
    query = (
        select(
            SightingRow.visitor_id,
            SightingRow.visitor_seal,
            SeenFaceRow.sighting,
            clarity_of(SeenFaceRow.quality),
            SeenFaceRow.embedding,
        )
        .join(SightingRow, SightingRow.identifier == SeenFaceRow.sighting)
        .join(VisitorRow, VisitorRow.id == SightingRow.visitor_id)
        .where(VisitorRow.name.is_(None), SeenFaceRow.model_sha256 == model_sha256)
    )
    cipher = cipher_of(session)

    @cache
    def is_visit(sighting: str, visitor: int | None, seal: str | None) -> bool:  # once for all faces of a sighting
        return visitor is not None and seals.matches(seals.visit_seal(cipher, sighting, visitor), seal)

    for visitor, seal, sighting, clarity, blob in session.execute(query):
        if is_visit(sighting, visitor, seal):
            context = seen_context(sighting, model_sha256)
            yield visitor, sighting, clarity, readable_embedding(cipher, blob, SEEN_EMBEDDING, context)


def _by_visit(rows: Iterable[_VisitorFace]) -> dict[tuple[int, str], list[tuple[Embedding, float]]]:
    visits: dict[tuple[int, str], list[tuple[Embedding, float]]] = {}
    for visitor, sighting, clarity, embedding in rows:
        if visitor is not None and embedding is not None:
            visits.setdefault((visitor, sighting), []).append((embedding, clarity))
    return visits


def clarity_of(quality: InstrumentedAttribute[dict[str, Any]]) -> ColumnElement[float]:
    """Select the clarity alone, 0 to 1: for many faces, SQLite extracts it faster than Python parses the whole quality.

    What is no quality has the clarity 0.
    """
    found = case((func.json_valid(quality), func.json_extract(quality, "$.clarity")))
    return case((func.typeof(found).in_(("real", "integer")), func.min(1.0, func.max(0.0, found))), else_=0.0)


def _seen_row(cipher: FieldCipher, sighting: str, face: SeenFace) -> SeenFaceRow:
    owner = sighting_context(sighting)
    return SeenFaceRow(
        sighting=sighting,
        embedding=cipher.encrypt(_blob(face), SEEN_EMBEDDING, seen_context(sighting, face.model_sha256)),
        crop_png=cipher.encrypt(png_bytes(face.face.image), SEEN_CROP, owner),
        **_values(face),
    )


def _marked_row(
    cipher: FieldCipher, sighting: str, visitor: int, not_person: PersonRow | None, face: SeenFace
) -> MarkedFaceRow:
    now = datetime.now(UTC)
    owner = mark_context(visitor, not_person.uid if not_person else None, sighting, now, face.model_sha256)
    return MarkedFaceRow(
        sighting=sighting,
        visitor_id=visitor,
        not_person_id=not_person.id if not_person else None,
        marked_at=now,
        embedding=cipher.encrypt(_blob(face), MARKED_EMBEDDING, owner),
        crop_png=cipher.encrypt(png_bytes(face.face.image), MARKED_CROP, owner),
        **_values(face),
    )


def _values(face: SeenFace) -> dict[str, Any]:
    return {"taken_at": face.taken_at, "model_sha256": face.model_sha256, "quality": asdict(face.face.quality)}


def _blob(face: SeenFace) -> bytes:
    check_embedding(face.embedding)
    return embedding_bytes(face.embedding)


def readable_embedding(cipher: FieldCipher, encrypted: bytes, column: str, owner: str) -> Embedding | None:
    """Decrypt an embedding; log a warning and return None if it cannot be read."""
    try:
        return embedding_from(cipher.decrypt(encrypted, column, owner))
    except ValueError as error:
        _log.warning("a face of %s is left out: %s", owner, error)
        return None


def _seen(cipher: FieldCipher, row: SeenFaceRow) -> Iterator[SeenFace]:
    """Yield the face of a row, or nothing if it cannot be read."""
    owner = sighting_context(row.sighting)
    embedding = readable_embedding(cipher, row.embedding, SEEN_EMBEDDING, seen_context(row.sighting, row.model_sha256))
    if embedding is None:
        return
    try:
        face = AlignedFace(png_image(cipher.decrypt(row.crop_png, SEEN_CROP, owner)), quality_from(row.quality))
    except ValueError as error:
        _log.warning("a face of %s is left out: %s", owner, error)
        return
    yield SeenFace(face, embedding, row.model_sha256, row.taken_at)
