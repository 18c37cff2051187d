"""The templates of enrolled people. Every function works inside the session that it is given."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from facesecure.domain import Embedding
from facesecure.domain.records import Template, TemplateMaker, TemplateVector
from facesecure.storage import people
from facesecure.storage.encryption import FACE_EMBEDDING, TEMPLATE_EMBEDDING, FieldCipher, cipher_of, person_context
from facesecure.storage.tables import FaceRow, PersonRow, TemplateRow
from facesecure.storage.values import embedding_bytes, embedding_from

_log = logging.getLogger(__name__)


def stored(session: Session, model_sha256: str | None) -> list[Template]:
    """Return the templates for one model (None: for every model), ordered by name.

    A template that cannot be read is logged and left out, so that everyone else is still recognised.
    """
    query = select(PersonRow.name, TemplateRow).join(PersonRow, PersonRow.id == TemplateRow.person_id)
    if model_sha256 is not None:
        query = query.where(TemplateRow.model_sha256 == model_sha256)
    rows = session.execute(query.order_by(PersonRow.name_key, TemplateRow.model_sha256, TemplateRow.id))
    return list(_readable(cipher_of(session), rows))


def remake(session: Session, person_id: int, make_templates: TemplateMaker) -> None:
    """Replace a person's templates: apply ``make_templates`` to their embeddings, separately for each model."""
    cipher, embeddings = cipher_of(session), _embeddings(session, person_id)
    for old in session.scalars(select(TemplateRow).where(TemplateRow.person_id == person_id)):
        session.delete(old)
    session.flush()
    for model, vectors in embeddings.items():
        session.add_all(_row(cipher, person_id, model, made) for made in make_templates(np.stack(vectors)))
        session.flush()  # in the order they were made: the first is of all faces
    people.mark_changed(session)


def _embeddings(session: Session, person_id: int) -> dict[str, list[Embedding]]:
    """Return the embeddings of a person's faces by model; one that cannot be read is logged and left out."""
    cipher, by_model = cipher_of(session), dict[str, list[Embedding]]()
    for row in session.scalars(select(FaceRow).where(FaceRow.person_id == person_id).order_by(FaceRow.id)):
        try:
            embedding = embedding_from(cipher.decrypt(row.embedding, FACE_EMBEDDING, person_context(person_id)))
            by_model.setdefault(row.model_sha256, []).append(embedding)
        except ValueError as error:
            _log.error(
                "face number %d is left out: %s; remove it with: facesecure people remove NAME --face", row.id, error
            )
    return by_model


def _readable(cipher: FieldCipher, rows: Iterable[Any]) -> Iterator[Template]:
    for name, row in rows:
        try:
            data = cipher.decrypt(row.embedding, TEMPLATE_EMBEDDING, person_context(row.person_id))
            embedding = embedding_from(data)
        except ValueError as error:
            _log.error("a template of %s is ignored: %s; enrol one more image to make it again", name, error)
        else:
            yield Template(name, embedding, row.model_sha256, row.faces, row.made_at)


def _row(cipher: FieldCipher, person_id: int, model: str, made: TemplateVector) -> TemplateRow:
    return TemplateRow(
        person_id=person_id,
        model_sha256=model,
        embedding=cipher.encrypt(embedding_bytes(made.direction), TEMPLATE_EMBEDDING, person_context(person_id)),
        faces=made.faces,
        made_at=datetime.now(UTC),
    )
