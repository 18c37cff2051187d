"""The faces kept of visits, and those marked as a stranger's, embedded again after a change of model."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from facesecure.domain import Embedding, Image
from facesecure.domain.records import Embeddings, check_embedding
from facesecure.recognition.gallery import HardNegative
from facesecure.storage import marked_strangers, people
from facesecure.storage.database import Database
from facesecure.storage.encryption import (
    MARKED_CROP,
    MARKED_EMBEDDING,
    SEEN_EMBEDDING,
    FieldCipher,
    cipher_of,
    mark_context,
    seen_context,
)
from facesecure.storage.tables import MarkedFaceRow, PersonRow, SeenFaceRow
from facesecure.storage.values import embedding_bytes
from facesecure.vision.images.codec import png_image

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class MarkedFace:
    """A marked face by its number: the aligned crop, uint8 RGB (112, 112, 3)."""

    identifier: int
    image: Image


class KeptFaces:
    """Stores new embeddings of faces that another model embedded. Each method is one transaction.

    A face that has the new model's embedding is not touched, so that an interrupted change of model resumes.

    Example::

        store.kept_faces.replace({face.identifier: embedding}, embedder.sha256)
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(self, embeddings: Mapping[int, Embedding], model_sha256: str) -> int:
        """Store the model's embeddings of seen faces by their numbers; return how many. Missing ones are skipped.

        Raises StoreError, ValueError for what is no embedding.
        """
        count = 0
        with self._database.write() as session:
            cipher = cipher_of(session)
            for identifier, embedding in embeddings.items():
                row = session.get(SeenFaceRow, identifier)
                if row is None or row.model_sha256 == model_sha256:
                    continue
                owner = seen_context(row.sighting, model_sha256)
                row.embedding = cipher.encrypt(_blob(embedding), SEEN_EMBEDDING, owner)
                row.model_sha256 = model_sha256
                count += 1
        return count

    def marked(self, model_sha256: str) -> list[MarkedFace]:
        """Return the marked faces that another model embedded; those that cannot be read are left out."""
        query = (
            select(MarkedFaceRow, PersonRow.uid)
            .outerjoin(PersonRow, PersonRow.id == MarkedFaceRow.not_person_id)
            .where(MarkedFaceRow.model_sha256 != model_sha256)
            .order_by(MarkedFaceRow.id)
        )
        with self._database.read() as session:
            cipher = cipher_of(session)
            return [one for row, uid in session.execute(query) for one in _read(cipher, row, uid)]

    def marked_strangers(self, model_sha256: str) -> Embeddings:
        """Return the embeddings of all marked faces by one model, float32 (n, d); (0, 0) if there are none."""
        with self._database.read() as session:
            return marked_strangers.embeddings(session, model_sha256)

    def hard_negatives(self, model_sha256: str, anew: Mapping[int, Embedding] | None = None) -> list[HardNegative]:
        """Return the marked strangers as hard negatives, as they would be with ``replace_marked(anew)``."""
        with self._database.read() as session:
            return marked_strangers.hard_negatives(session, model_sha256, anew or {})

    def replace_marked(self, embeddings: Mapping[int, Embedding], model_sha256: str) -> int:
        """Store the model's embeddings of marked faces by their numbers, as ``replace`` does; return how many."""
        count = 0
        with self._database.write() as session:
            cipher = cipher_of(session)
            for identifier, embedding in embeddings.items():
                row = session.get(MarkedFaceRow, identifier)
                if row is None or row.model_sha256 == model_sha256:
                    continue
                person = session.get(PersonRow, row.not_person_id) if row.not_person_id is not None else None
                before, owner = (
                    _owner(row, person.uid if person else None, one) for one in (row.model_sha256, model_sha256)
                )
                row.crop_png = cipher.encrypt(cipher.decrypt(row.crop_png, MARKED_CROP, before), MARKED_CROP, owner)
                row.embedding = cipher.encrypt(_blob(embedding), MARKED_EMBEDDING, owner)
                row.model_sha256 = model_sha256
                count += 1
            if count:
                people.mark_changed(session)  # the strangers that look like a person have changed
        return count


def _read(cipher: FieldCipher, row: MarkedFaceRow, uid: str | None) -> Iterator[MarkedFace]:
    owner = _owner(row, uid, row.model_sha256)
    try:
        yield MarkedFace(row.id, png_image(cipher.decrypt(row.crop_png, MARKED_CROP, owner)))
    except ValueError as error:
        _log.warning("a marked face of %s is left out: %s", owner, error)


def _owner(row: MarkedFaceRow, uid: str | None, model_sha256: str) -> str:
    return mark_context(row.visitor_id, uid, row.sighting, row.marked_at, model_sha256)


def _blob(embedding: Embedding) -> bytes:
    check_embedding(embedding)
    return embedding_bytes(embedding)
