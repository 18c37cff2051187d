"""The templates of enrolled people. Every function works inside the session that it is given."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from facesecure.domain import Embedding
from facesecure.domain.records import Template, TemplateMaker, TemplateVector
from facesecure.storage import people, seals
from facesecure.storage.encryption import (
    FACE_EMBEDDING,
    TEMPLATE_EMBEDDING,
    FieldCipher,
    cipher_of,
    face_context,
    template_context,
)
from facesecure.storage.tables import FaceRow, PersonRow, TemplateRow
from facesecure.storage.values import embedding_bytes, embedding_from

_log = logging.getLogger(__name__)


def stored(session: Session, model_sha256: str | None) -> list[Template]:
    """Return the templates for one model (None: for every model), ordered by name.

    A template that cannot be read is logged and left out, so that everyone else is still recognised. So are all
    templates of a person whose row was changed outside of facesecure.
    """
    for person in people.all_people(session):
        if not person.genuine:
            _log.error("%s", seals.altered(person.name))
    query = select(PersonRow, TemplateRow).join(PersonRow, PersonRow.id == TemplateRow.person_id)
    if model_sha256 is not None:
        query = query.where(TemplateRow.model_sha256 == model_sha256)
    rows = session.execute(query.order_by(PersonRow.name_key, TemplateRow.model_sha256, TemplateRow.id))
    return list(_readable(cipher_of(session), rows))


def remake(session: Session, person_id: int, make_templates: TemplateMaker) -> None:
    """Replace a person's templates: apply ``make_templates`` to their embeddings, separately for each model.

    Raises StoreError if the person's row was changed outside of facesecure.
    """
    person = people.begin_edition(session, person_id)
    cipher, embeddings = cipher_of(session), _embeddings(session, person)
    for old in session.scalars(select(TemplateRow).where(TemplateRow.person_id == person_id)):
        session.delete(old)
    session.flush()
    for model, vectors in embeddings.items():
        session.add_all(_row(cipher, person, model, made) for made in make_templates(np.stack(vectors)))
        session.flush()  # in the order they were made: the first is of all faces
    people.mark_changed(session)


def foreseen(
    session: Session, model_sha256: str, anew: Mapping[int, Embedding], make_templates: TemplateMaker
) -> list[Template]:
    """Return the templates for one model as they would be if its embeddings ``anew``, by face number, were stored."""
    outdated = select(FaceRow.person_id).where(FaceRow.model_sha256 != model_sha256)
    changing = session.scalars(select(PersonRow).where(PersonRow.id.in_(outdated)))
    cipher, now = cipher_of(session), datetime.now(UTC)
    embeddings = {
        person.name: _embeddings(session, person, model_sha256, anew).get(model_sha256, [])
        for person in changing
        if seals.is_genuine(cipher, person)
    }
    return [one for one in stored(session, model_sha256) if one.name not in embeddings] + [
        Template(name, made.direction, model_sha256, made.faces, now)
        for name, vectors in embeddings.items()
        if vectors
        for made in make_templates(np.stack(vectors))
    ]


def _embeddings(
    session: Session, person: PersonRow, model_sha256: str = "", anew: Mapping[int, Embedding] | None = None
) -> dict[str, list[Embedding]]:
    """Return the embeddings of a person's faces by model; one that cannot be read is logged and left out.

    Those in ``anew``, by face number, are the model's and replace what is stored.
    """
    anew = anew or {}
    cipher, by_model = cipher_of(session), dict[str, list[Embedding]]()
    for row in session.scalars(select(FaceRow).where(FaceRow.person_id == person.id).order_by(FaceRow.id)):
        if row.id in anew:
            by_model.setdefault(model_sha256, []).append(anew[row.id])
            continue
        try:
            owner = face_context(person.uid, row.model_sha256)
            embedding = embedding_from(cipher.decrypt(row.embedding, FACE_EMBEDDING, owner))
            by_model.setdefault(row.model_sha256, []).append(embedding)
        except ValueError as error:
            _log.error(
                "face number %d is left out: %s; remove it with: facesecure people remove NAME --face", row.id, error
            )
    return by_model


def _readable(cipher: FieldCipher, rows: Iterable[Any]) -> Iterator[Template]:
    for person, row in rows:
        if not seals.is_genuine(cipher, person):
            continue
        try:
            owner = template_context(person.uid, person.edition, row.model_sha256, row.faces)
            embedding = embedding_from(cipher.decrypt(row.embedding, TEMPLATE_EMBEDDING, owner))
        except ValueError as error:
            _log.error("a template of %s is ignored: %s; enrol one more image to make it again", person.name, error)
        else:
            yield Template(person.name, embedding, row.model_sha256, row.faces, row.made_at)


def _row(cipher: FieldCipher, person: PersonRow, model: str, made: TemplateVector) -> TemplateRow:
    owner = template_context(person.uid, person.edition, model, made.faces)
    return TemplateRow(
        person_id=person.id,
        model_sha256=model,
        embedding=cipher.encrypt(embedding_bytes(made.direction), TEMPLATE_EMBEDDING, owner),
        faces=made.faces,
        made_at=datetime.now(UTC),
    )
