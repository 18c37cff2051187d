"""Marked faces as the doors of a household share them: those marked here, and those that other doors have marked.

Whoever is marked at one door as not Anna is not taken for Anna at the others either. A mark of another door goes when
that door takes it back, and with its visitor or person as one of this door does.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from facesecure.domain import Quality, SeenFace
from facesecure.storage import elsewhere, forgotten, people
from facesecure.storage.database import Database
from facesecure.storage.encryption import MARKED_CROP, MARKED_EMBEDDING, FieldCipher, cipher_of, mark_context
from facesecure.storage.tables import MarkedFaceRow, PersonRow, VisitorRow
from facesecure.storage.values import embedding_bytes, quality_from
from facesecure.storage.writes import Writer
from facesecure.vision.images.codec import png_bytes

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MarkedCrop:
    """A marked face as it travels: the crop as PNG, and its quality as its door measured it."""

    png: bytes
    quality: Quality
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """The faces of one visit that are not ``person`` (uid), or with None nobody's who is enrolled.

    ``key`` is what the doors call it, 32 hexadecimal digits; ``visitor`` is the ``uid`` of whose they are.
    """

    key: str
    visitor: str
    person: str | None
    faces: tuple[MarkedCrop, ...]


@dataclass(frozen=True, slots=True)
class MarkTaken:
    """A mark of ``door`` as it is stored here: its faces, embedded here."""

    door: str
    key: str
    visitor: str
    person: str | None
    faces: tuple[SeenFace, ...]


class SharedMarks:
    """Reads and writes what doors share of marked faces. Each method is one transaction, and raises StoreError.

    Example::

        store.shared_visitors.marks.take(MarkTaken(door, key, visitor, None, faces))
    """

    def __init__(self, database: Database, writer: Writer) -> None:
        """Share those in ``database``."""
        self._database, self._writer = database, writer

    def revision(self) -> tuple[object, ...]:
        """Return what is another when faces were marked here, or people have changed; cheap."""
        query = select(func.count(), func.max(MarkedFaceRow.id)).where(MarkedFaceRow.door.is_(None))
        with self._database.read() as session:
            return (*session.execute(query).one(), people.revision(session))

    def own(self, most: int, faces: int) -> list[Mark]:
        """Return the ``most`` marks of this door that were made last, each with at most so many ``faces``."""
        query = (
            select(MarkedFaceRow, VisitorRow.uid, PersonRow.uid)
            .join(VisitorRow, VisitorRow.id == MarkedFaceRow.visitor_id)
            .outerjoin(PersonRow, PersonRow.id == MarkedFaceRow.not_person_id)
            .where(MarkedFaceRow.door.is_(None))
            .order_by(MarkedFaceRow.id.desc())
            .limit(most * faces)
        )
        found = dict[str, Mark]()
        with self._database.read() as session:
            cipher = cipher_of(session)
            for row, visitor, person in session.execute(query):
                key, crop = _key(row.sighting, person), _crop(cipher, row, person)
                mark = found.get(key, Mark(key, visitor, person, ()))
                if crop is not None and len(mark.faces) < faces and (key in found or len(found) < most):
                    found[key] = Mark(key, visitor, person, (*mark.faces, crop))
        return list(found.values())

    def taken(self, door: str) -> dict[str, int]:
        """Return how many faces there are here of each mark of another ``door``, by key."""
        query = select(MarkedFaceRow.sighting, func.count()).where(MarkedFaceRow.door == door)
        with self._database.read() as session:
            rows = session.execute(query.group_by(MarkedFaceRow.sighting))
            return {sighting.rpartition(".")[2]: count for sighting, count in rows}

    def take(self, mark: MarkTaken) -> bool:
        """Store a mark of another door in the place of what it was. Return False if visitor or person are gone."""
        self._writer.settle()
        with self._database.write() as session:
            _drop(session, mark.door, mark.key)
            person = session.scalar(select(PersonRow).where(PersonRow.uid == mark.person)) if mark.person else None
            uid = forgotten.visitor_now(session, mark.visitor)
            if not uid or (mark.person and person is None):
                people.mark_changed(session)
                return False
            visitor = session.scalar(select(VisitorRow).where(VisitorRow.uid == uid))
            if visitor is None:
                times = [face.taken_at for face in mark.faces]
                visitor = VisitorRow(uid=uid, first_seen=min(times), last_seen=max(times), visits=0)
                session.add(visitor)
                session.flush()
            session.add_all(_row(cipher_of(session), mark, visitor, person, face) for face in mark.faces)
            people.mark_changed(session)  # the strangers that look like a person have changed
            return True

    def drop(self, door: str, key: str) -> bool:
        """Remove a mark that another door has taken back. Return whether there was one."""
        self._writer.settle()
        with self._database.write() as session:
            gone = _drop(session, door, key)
            if gone:
                people.mark_changed(session)
                elsewhere.remove_empty(session)
            return gone


def _key(sighting: str, person: str | None) -> str:
    return hashlib.sha256(f"{sighting} {person or ''}".encode()).hexdigest()[:32]


def _sighting(door: str, key: str) -> str:
    """Return what stands for the sighting of a mark of another door, which is not stored here."""
    return f"{door}.{key}"


def _drop(session: Session, door: str, key: str) -> bool:
    this = MarkedFaceRow.door == door, MarkedFaceRow.sighting == _sighting(door, key)
    return bool(session.execute(delete(MarkedFaceRow).where(*this)).rowcount)  # type: ignore[attr-defined]


def _crop(cipher: FieldCipher, row: MarkedFaceRow, person: str | None) -> MarkedCrop | None:
    owner = mark_context(row.visitor_id, person, row.sighting, row.marked_at, row.model_sha256)
    try:
        return MarkedCrop(cipher.decrypt(row.crop_png, MARKED_CROP, owner), quality_from(row.quality), row.taken_at)
    except ValueError as error:
        _log.warning("a marked face of %s is not shared: %s", owner, error)
        return None


def _row(
    cipher: FieldCipher, mark: MarkTaken, visitor: VisitorRow, person: PersonRow | None, face: SeenFace
) -> MarkedFaceRow:
    now, sighting = datetime.now(UTC), _sighting(mark.door, mark.key)
    owner = mark_context(visitor.id, person.uid if person else None, sighting, now, face.model_sha256)
    return MarkedFaceRow(
        visitor_id=visitor.id,
        not_person_id=person.id if person else None,
        sighting=sighting,
        marked_at=now,
        taken_at=face.taken_at,
        model_sha256=face.model_sha256,
        quality=asdict(face.face.quality),
        embedding=cipher.encrypt(embedding_bytes(face.embedding), MARKED_EMBEDDING, owner),
        crop_png=cipher.encrypt(png_bytes(face.face.image), MARKED_CROP, owner),
        door=mark.door,
    )
