"""The faces that people are enrolled with. Every function works inside the session that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from facesecure.domain.errors import StoreError, UsageError
from facesecure.domain.records import EnrolledFace, Person, TemplateMaker
from facesecure.storage import people, templates
from facesecure.storage.encryption import (
    FACE_CROP,
    FACE_EMBEDDING,
    FieldCipher,
    cipher_of,
    face_context,
    person_context,
)
from facesecure.storage.tables import FaceRow, PersonRow
from facesecure.storage.values import embedding_bytes, embedding_from, quality_from
from facesecure.vision.images.codec import png_bytes, png_image


def add(session: Session, name: str, faces: Sequence[EnrolledFace], make_templates: TemplateMaker) -> Person:
    """Add ``faces`` to ``name``, a new person or one already enrolled, and make their templates again."""
    return add_to(session, people.find_or_add(session, name), faces, make_templates)


def add_to(session: Session, row: PersonRow, faces: Sequence[EnrolledFace], make_templates: TemplateMaker) -> Person:
    """Add ``faces`` to a person, and make their templates again."""
    cipher = cipher_of(session)
    session.add_all(_row(cipher, row, face) for face in faces)
    session.flush()
    templates.remake(session, row.id, make_templates)
    return people.record(session, row)


def remove(session: Session, identifier: int, make_templates: TemplateMaker) -> None:
    """Remove one face. Raises UsageError if there is no such face, or if it is the person's last one."""
    row = session.get(FaceRow, identifier)
    if row is None:
        raise UsageError(f"there is no face number {identifier}", "facesecure people show NAME lists them")
    others = select(func.count(FaceRow.id)).where(FaceRow.person_id == row.person_id, FaceRow.id != identifier)
    if not session.scalar(others):
        raise UsageError(
            f"face number {identifier} is the person's last one", "to remove the person: facesecure people remove NAME"
        )
    session.delete(row)
    session.flush()
    templates.remake(session, row.person_id, make_templates)


def of(session: Session, name: str) -> list[EnrolledFace]:
    """Return the faces of ``name``, in the order they were added. Raises StoreError if one cannot be read."""
    row, cipher = people.find(session, name), cipher_of(session)
    query = select(FaceRow).where(FaceRow.person_id == row.id).order_by(FaceRow.id)
    return [_face(cipher, row.uid, face) for face in session.scalars(query)]


def numbers(session: Session, name: str) -> list[int]:
    """Return the numbers of the faces of ``name``, in the order they were added, without decrypting the faces."""
    row = people.find(session, name)
    return list(session.scalars(select(FaceRow.id).where(FaceRow.person_id == row.id).order_by(FaceRow.id)))


def _row(cipher: FieldCipher, person: PersonRow, face: EnrolledFace) -> FaceRow:
    owner = face_context(person.uid, face.model_sha256)
    return FaceRow(
        person_id=person.id,
        crop_png=cipher.encrypt(png_bytes(face.image), FACE_CROP, person_context(person.uid)),
        embedding=cipher.encrypt(embedding_bytes(face.embedding), FACE_EMBEDDING, owner),
        model_sha256=face.model_sha256,
        quality=asdict(face.quality),
        source=face.source,
        added_at=datetime.now(UTC),
        sighting=face.sighting,
    )


def _face(cipher: FieldCipher, person: str, row: FaceRow) -> EnrolledFace:
    """Decrypt one face. Raises StoreError if its image or embedding is damaged."""
    try:
        image = png_image(cipher.decrypt(row.crop_png, FACE_CROP, person_context(person)))
        owner = face_context(person, row.model_sha256)
        embedding = embedding_from(cipher.decrypt(row.embedding, FACE_EMBEDDING, owner))
        quality = quality_from(row.quality)
    except ValueError as error:
        hint = f"remove it: facesecure people remove NAME --face {row.id}"
        raise StoreError(f"face number {row.id} cannot be read: {error}", hint) from error
    return EnrolledFace(
        image, embedding, row.model_sha256, quality, row.source, row.id, row.added_at, sighting=row.sighting
    )
