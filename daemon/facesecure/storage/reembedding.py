"""Embed enrolled faces again after a change of model. The functions with a session work inside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from facesecure.domain import Embedding, Image
from facesecure.domain.errors import FacesecureError
from facesecure.domain.records import Reembedded, RefusedFace, TemplateMaker, check_embedding
from facesecure.storage import seals, templates
from facesecure.storage.database import Database
from facesecure.storage.encryption import (
    FACE_CROP,
    FACE_EMBEDDING,
    FieldCipher,
    cipher_of,
    face_context,
    person_context,
)
from facesecure.storage.tables import FaceRow, PersonRow
from facesecure.storage.values import embedding_bytes
from facesecure.vision.images.codec import png_image


@dataclass(frozen=True, slots=True)
class OutdatedFace:
    """A face with an embedding by another model: the person's name, the face's number, and its encrypted crop."""

    name: str
    identifier: int
    person_uid: str
    encrypted_crop: bytes
    cipher: FieldCipher

    def image(self) -> Image:
        """Return the crop, uint8 RGB (112, 112, 3). Raises ValueError if it is missing or damaged."""
        return png_image(self.cipher.decrypt(self.encrypted_crop, FACE_CROP, person_context(self.person_uid)))


def reembed(
    database: Database,
    model_sha256: str,
    embed: Callable[[Image], Embedding],
    make_templates: TemplateMaker,
    done: Callable[[int, int], None] | None,
    timeout: float | None,
    keep: bool,
) -> Reembedded:
    """Embed again the faces that another model embedded; see ``Store.reembed``.

    Raises BusyError if the database cannot be written within ``timeout`` seconds.
    """
    with database.read() as session:
        faces = outdated_faces(session, model_sha256)
    embeddings, refused = embed_faces(faces, embed, done)
    names = tuple(dict.fromkeys(face.name for face in faces if face.identifier in embeddings))
    if not keep:
        with database.read() as session:
            foreseen = templates.foreseen(session, model_sha256, embeddings, make_templates)
        return Reembedded(len(embeddings), names, refused, tuple(foreseen))
    if not embeddings:
        return Reembedded(refused=refused)
    with database.write(timeout) as session:
        count = replace_embeddings(session, embeddings, model_sha256, make_templates)
    return Reembedded(count, names, refused)


def outdated_faces(session: Session, model_sha256: str) -> list[OutdatedFace]:
    """Return the faces whose embedding was made by another model, ordered by name.

    Those of a person whose row was changed outside of facesecure are left out.
    """
    query = (
        select(PersonRow, FaceRow.id, FaceRow.crop_png)
        .join(FaceRow, FaceRow.person_id == PersonRow.id)
        .where(FaceRow.model_sha256 != model_sha256)
        .order_by(PersonRow.name_key, FaceRow.id)
    )
    cipher = cipher_of(session)
    return [
        OutdatedFace(person.name, identifier, person.uid, crop, cipher)
        for person, identifier, crop in session.execute(query)
        if seals.is_genuine(cipher, person)
    ]


def embed_faces(
    faces: Sequence[OutdatedFace], embed: Callable[[Image], Embedding], done: Callable[[int, int], None] | None
) -> tuple[dict[int, Embedding], tuple[RefusedFace, ...]]:
    """Return the new embeddings by face number, and the faces that could not be embedded."""
    embeddings: dict[int, Embedding] = {}
    refused: list[RefusedFace] = []
    for count, face in enumerate(faces, 1):
        try:
            embedding = embed(face.image())
            check_embedding(embedding)
            embeddings[face.identifier] = embedding
        except (ValueError, RuntimeError, FacesecureError) as error:
            refused.append(RefusedFace(face.name, face.identifier, str(error)))
        if done is not None:
            done(count, len(faces))
    return embeddings, tuple(refused)


def replace_embeddings(
    session: Session, embeddings: dict[int, Embedding], model_sha256: str, make_templates: TemplateMaker
) -> int:
    """Store the new model's embeddings by face number; return how many. Faces removed meanwhile are skipped."""
    cipher = cipher_of(session)
    rows = [row for row in (session.get(FaceRow, identifier) for identifier in embeddings) if row is not None]
    for row in rows:
        blob, person = embedding_bytes(embeddings[row.id]), session.get_one(PersonRow, row.person_id)
        row.embedding = cipher.encrypt(blob, FACE_EMBEDDING, face_context(person.uid, model_sha256))
        row.model_sha256 = model_sha256
    session.flush()
    for person_id in {row.person_id for row in rows}:
        templates.remake(session, person_id, make_templates)
    return len(rows)
