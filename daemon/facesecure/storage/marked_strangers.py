"""The faces marked as a stranger's, as verdicts use them. Every function works inside the session that it is given."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, load_only

from facesecure.domain import Embedding
from facesecure.domain.records import Embeddings
from facesecure.recognition.gallery import HardNegative
from facesecure.recognition.templates import template_of
from facesecure.storage.encryption import MARKED_EMBEDDING, FieldCipher, cipher_of, mark_context
from facesecure.storage.sighting_faces import readable_embedding
from facesecure.storage.tables import MarkedFaceRow, PersonRow

_MARK = (
    MarkedFaceRow.visitor_id,
    MarkedFaceRow.not_person_id,
    MarkedFaceRow.sighting,
    MarkedFaceRow.marked_at,
    MarkedFaceRow.model_sha256,
    MarkedFaceRow.embedding,
)
"""What is read of a marked face where its image is not needed."""


def embeddings(session: Session, model_sha256: str) -> Embeddings:
    """Return the distinct embeddings of all marked faces by one model, float32 (n, d); (0, 0) if there are none."""
    query = (
        select(MarkedFaceRow, PersonRow.uid)
        .outerjoin(PersonRow, PersonRow.id == MarkedFaceRow.not_person_id)
        .where(MarkedFaceRow.model_sha256 == model_sha256)
        .options(load_only(*_MARK))
    )
    rows, cipher = session.execute(query.order_by(MarkedFaceRow.taken_at, MarkedFaceRow.id)), cipher_of(session)
    found = [_embedding_of_mark(cipher, row, person) for row, person in rows]
    distinct = {one.tobytes(): one for one in found if one is not None}
    return np.stack(list(distinct.values())) if distinct else np.empty((0, 0), np.float32)


def hard_negatives(session: Session, model_sha256: str, anew: Mapping[int, Embedding]) -> list[HardNegative]:
    """Return the templates of marked strangers as hard negatives.

    A face marked as no enrolled person's counts for everyone who was enrolled at that time. ``anew`` has the model's
    embeddings of faces that another model embedded, by their numbers.
    """
    counts_for = (MarkedFaceRow.not_person_id == PersonRow.id) | (
        MarkedFaceRow.not_person_id.is_(None) & (PersonRow.created_at <= MarkedFaceRow.marked_at)
    )
    query = (
        select(PersonRow.name, PersonRow.uid, MarkedFaceRow)
        .join(PersonRow, counts_for)
        .options(load_only(*_MARK))
        .where((MarkedFaceRow.model_sha256 == model_sha256) | bool(anew))
        .order_by(PersonRow.name_key, MarkedFaceRow.visitor_id, MarkedFaceRow.id)
    )
    faces, cipher = dict[tuple[str, int], list[Embedding]](), cipher_of(session)
    for name, person, row in session.execute(query):
        embedding = anew.get(row.id)
        if embedding is None and row.model_sha256 == model_sha256:
            embedding = _embedding_of_mark(cipher, row, None if row.not_person_id is None else person)
        if embedding is not None:
            faces.setdefault((name, row.visitor_id), []).append(embedding)
    return [HardNegative(name, template_of(np.stack(found))) for (name, _), found in faces.items()]


def _embedding_of_mark(cipher: FieldCipher, row: MarkedFaceRow, person: str | None) -> Embedding | None:
    """Decrypt the embedding of a marked face that is not ``person``'s (uid, or None)."""
    owner = mark_context(row.visitor_id, person, row.sighting, row.marked_at, row.model_sha256)
    return readable_embedding(cipher, row.embedding, MARKED_EMBEDDING, owner)
