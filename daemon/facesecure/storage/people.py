"""People, their faces and templates: every function works inside the session, and so the transaction, it is given."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from facesecure.domain import Embedding, Image, Quality
from facesecure.domain.errors import FacesecureError, StoreError, UsageError
from facesecure.domain.names import name_key, person_name
from facesecure.domain.records import (
    EnrolledFace,
    Person,
    RefusedFace,
    Template,
    TemplateMaker,
    TemplateVector,
    check_embedding,
)
from facesecure.storage import anonymise
from facesecure.storage.encryption import (
    FACE_CROP,
    FACE_EMBEDDING,
    TEMPLATE_EMBEDDING,
    FieldCipher,
    cipher_of,
    person_context,
)
from facesecure.storage.tables import CounterRow, FaceRow, PersonRow, SeenFaceRow, TemplateRow, VisitorRow
from facesecure.vision.images.codec import png_bytes, png_image

_log = logging.getLogger(__name__)


def everybody(session: Session) -> list[Person]:
    """Everybody enrolled, by name."""
    query = (
        select(PersonRow.name, PersonRow.created_at, func.count(FaceRow.id))
        .outerjoin(FaceRow, FaceRow.person_id == PersonRow.id)
        .group_by(PersonRow.id)
        .order_by(PersonRow.name_key)
    )
    return [Person(name, created_at, faces) for name, created_at, faces in session.execute(query)]


def find(session: Session, name: str) -> PersonRow:
    """The row of ``name`` (case does not count). Raises UsageError where nobody is called that."""
    row = find_or_none(session, name)
    if row is None:
        raise UsageError(f"nobody called {name!r} is enrolled", _who_is(session))
    return row


def find_or_none(session: Session, name: str) -> PersonRow | None:
    return session.scalar(select(PersonRow).where(PersonRow.name_key == name_key(name)))


def add_faces(session: Session, name: str, faces: Sequence[EnrolledFace], template: TemplateMaker) -> Person:
    """Make the person if new, give them ``faces``, and remake their templates."""
    row = find_or_none(session, name)
    if row is None:
        row = PersonRow(name=person_name(name), name_key=name_key(name), created_at=datetime.now(UTC))
        session.add(row)
        session.flush()
    vault = cipher_of(session)
    session.add_all(_face_row(vault, row.id, face) for face in faces)
    session.flush()
    remake_templates(session, row.id, template)
    return _person(session, row)


def rename(session: Session, old: str, new: str) -> Person:
    """Call ``old`` by ``new``, in the history too. Raises UsageError where ``new`` is somebody else."""
    row = find(session, old)
    taken = find_or_none(session, new)
    if taken is not None and taken.id != row.id:
        raise UsageError(
            f"somebody called {taken.name!r} is enrolled already", "choose another name, or remove that person first"
        )
    before, row.name, row.name_key = row.name, person_name(new), name_key(new)
    session.flush()
    anonymise.rename(session, row, before)
    changed(session)
    return _person(session, row)


def remove(session: Session, name: str) -> tuple[Person, list[str]]:
    """Forget the person: faces, templates, every face seen of them at the door, and the name wherever it stands.

    Returns who they were, and the files of their snapshots, which are to be deleted.
    """
    row = find(session, name)
    person, theirs = _person(session, row), anonymise.sightings_of(session, row)
    session.execute(delete(SeenFaceRow).where(SeenFaceRow.sighting.in_(theirs)))
    files = anonymise.take_snapshots(session, theirs)
    session.execute(delete(VisitorRow).where(VisitorRow.person_id == row.id))
    anonymise.forget_name(session, row)
    session.delete(row)
    changed(session)
    return person, files


def remove_face(session: Session, identifier: int, template: TemplateMaker) -> None:
    """Take one picture away. Raises UsageError where it is not there, or the person's last."""
    row = session.get(FaceRow, identifier)
    if row is None:
        raise UsageError(f"there is no face number {identifier}", "facesecure people show NAME lists them")
    others = select(func.count(FaceRow.id)).where(FaceRow.person_id == row.person_id, FaceRow.id != identifier)
    if not session.scalar(others):
        raise UsageError(
            f"face number {identifier} is the person's last one", "to forget the person: facesecure people remove NAME"
        )
    session.delete(row)
    session.flush()
    remake_templates(session, row.person_id, template)


def faces_of(session: Session, name: str) -> list[EnrolledFace]:
    """The person's faces, in the order they were added."""
    row, vault = find(session, name), cipher_of(session)
    query = select(FaceRow).where(FaceRow.person_id == row.id).order_by(FaceRow.id)
    return [_face(vault, face) for face in session.scalars(query)]


def face_numbers(session: Session, name: str) -> list[int]:
    """The numbers of the person's faces, in the order they were added; their pictures are not looked at."""
    row = find(session, name)
    return list(session.scalars(select(FaceRow.id).where(FaceRow.person_id == row.id).order_by(FaceRow.id)))


def templates(session: Session, model_sha256: str | None) -> list[Template]:
    """By name. One that cannot be read is told of and left out: the others still know everybody else."""
    query = select(PersonRow.name, TemplateRow).join(PersonRow, PersonRow.id == TemplateRow.person_id)
    if model_sha256 is not None:
        query = query.where(TemplateRow.model_sha256 == model_sha256)
    rows = session.execute(query.order_by(PersonRow.name_key, TemplateRow.model_sha256, TemplateRow.id))
    return list(_readable(cipher_of(session), rows))


def _readable(vault: FieldCipher, rows: Iterable[Any]) -> Iterator[Template]:
    for name, row in rows:
        try:
            embedding = _embedding(vault.decrypt(row.embedding, TEMPLATE_EMBEDDING, person_context(row.person_id)))
        except ValueError as error:
            _log.error("a template of %s does not count: %s; enrol one more picture to have it made again", name, error)
        else:
            yield Template(name, embedding, row.model_sha256, row.faces, row.made_at)


@dataclass(frozen=True, slots=True)
class ForeignFace:
    """An enrolled face whose embedding another model made: whose, its number, and its crop as it is kept."""

    name: str
    identifier: int
    person_id: int
    sealed_crop: bytes
    vault: FieldCipher

    def image(self) -> Image:
        """The crop, uint8 RGB (112, 112, 3). Raises ValueError where it is missing or damaged."""
        return png_image(self.vault.decrypt(self.sealed_crop, FACE_CROP, person_context(self.person_id)))


def foreign_faces(session: Session, model_sha256: str) -> list[ForeignFace]:
    """Faces whose embedding another model made, by name."""
    query = (
        select(PersonRow.name, FaceRow.id, FaceRow.person_id, FaceRow.crop_png)
        .join(FaceRow, FaceRow.person_id == PersonRow.id)
        .where(FaceRow.model_sha256 != model_sha256)
        .order_by(PersonRow.name_key, FaceRow.id)
    )
    vault = cipher_of(session)
    return [ForeignFace(*row, vault) for row in session.execute(query)]


def embedded(
    faces: Sequence[ForeignFace], embed: Callable[[Image], Embedding], done: Callable[[int, int], None] | None
) -> tuple[dict[int, Embedding], tuple[RefusedFace, ...]]:
    """Each face's new embedding by its number, and those that could not have one."""
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
    session: Session, embeddings: dict[int, Embedding], model_sha256: str, template: TemplateMaker
) -> int:
    """Give faces (by identifier) a new model's embeddings; those removed meanwhile are left out. Returns how many."""
    vault = cipher_of(session)
    rows = [row for row in (session.get(FaceRow, identifier) for identifier in embeddings) if row is not None]
    for row in rows:
        row.embedding = vault.encrypt(_blob(embeddings[row.id]), FACE_EMBEDDING, person_context(row.person_id))
        row.model_sha256 = model_sha256
    session.flush()
    for person_id in {row.person_id for row in rows}:
        remake_templates(session, person_id, template)
    return len(rows)


def remake_templates(session: Session, person_id: int, template: TemplateMaker) -> None:
    """What ``template`` makes of the embeddings, for each model that made some of this person's faces."""
    vault, by_model = cipher_of(session), dict[str, list[Embedding]]()
    for row in session.scalars(select(FaceRow).where(FaceRow.person_id == person_id).order_by(FaceRow.id)):
        try:
            embedding = _embedding(vault.decrypt(row.embedding, FACE_EMBEDDING, person_context(person_id)))
            by_model.setdefault(row.model_sha256, []).append(embedding)
        except ValueError as error:
            _log.error(
                "face number %d is left out: %s; facesecure people remove NAME --face takes it away", row.id, error
            )
    for old in session.scalars(select(TemplateRow).where(TemplateRow.person_id == person_id)):
        session.delete(old)
    session.flush()
    for model, embeddings in by_model.items():
        session.add_all(_template_row(vault, person_id, model, look) for look in template(np.stack(embeddings)))
        session.flush()  # in the order they were made: the first is of all faces
    changed(session)


def revision(session: Session) -> int:
    """Grows with every change to people, faces or templates, whichever process made it."""
    return session.scalar(select(CounterRow.value).where(CounterRow.name == "people")) or 0


def changed(session: Session) -> None:
    session.info["people"] = True
    session.execute(update(CounterRow).where(CounterRow.name == "people").values(value=CounterRow.value + 1))


def _who_is(session: Session) -> str:
    names = [person.name for person in everybody(session)]
    return (
        f"enrolled: {', '.join(names)}" if names else "nobody is enrolled yet: facesecure enroll NAME --images PATH..."
    )


def _person(session: Session, row: PersonRow) -> Person:
    count = session.scalar(select(func.count(FaceRow.id)).where(FaceRow.person_id == row.id))
    return Person(row.name, row.created_at, count or 0)


def _template_row(vault: FieldCipher, person_id: int, model: str, look: TemplateVector) -> TemplateRow:
    return TemplateRow(
        person_id=person_id,
        model_sha256=model,
        embedding=vault.encrypt(_blob(look.direction), TEMPLATE_EMBEDDING, person_context(person_id)),
        faces=look.faces,
        made_at=datetime.now(UTC),
    )


def _face_row(vault: FieldCipher, person_id: int, face: EnrolledFace) -> FaceRow:
    return FaceRow(
        person_id=person_id,
        crop_png=vault.encrypt(png_bytes(face.image), FACE_CROP, person_context(person_id)),
        embedding=vault.encrypt(_blob(face.embedding), FACE_EMBEDDING, person_context(person_id)),
        model_sha256=face.model_sha256,
        quality=asdict(face.quality),
        source=face.source,
        added_at=datetime.now(UTC),
        sighting=face.sighting,
    )


def _face(vault: FieldCipher, row: FaceRow) -> EnrolledFace:
    """Raises StoreError where the picture is lost."""
    quality = Quality(**{**row.quality, "reasons": tuple(row.quality["reasons"])})
    try:
        image = png_image(vault.decrypt(row.crop_png, FACE_CROP, person_context(row.person_id)))
        embedding = _embedding(vault.decrypt(row.embedding, FACE_EMBEDDING, person_context(row.person_id)))
    except ValueError as error:
        hint = f"take it away: facesecure people remove NAME --face {row.id}"
        raise StoreError(f"face number {row.id} cannot be read: {error}", hint) from error
    return EnrolledFace(
        image,
        embedding,
        row.model_sha256,
        quality,
        row.source,
        row.id,
        row.added_at,
        row.sighting,
    )


def _blob(embedding: Embedding) -> bytes:
    return embedding.astype("<f4").tobytes()


def _embedding(blob: bytes) -> Embedding:
    return np.frombuffer(blob, "<f4").astype(np.float32)
