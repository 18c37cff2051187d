"""Find visitors who look alike, and merge two who are the same person: visits and marks of the one become the other's.

Both are sealed or encrypted for the visitor whose they are, so they are made anew for the other.
"""

from __future__ import annotations

import logging

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from facesecure.domain.errors import UsageError
from facesecure.recognition.templates import template_of
from facesecure.storage import elsewhere, forgotten, people, seals, sighting_faces
from facesecure.storage.encryption import MARKED_CROP, MARKED_EMBEDDING, FieldCipher, cipher_of, mark_context
from facesecure.storage.tables import MarkedFaceRow, PersonRow, SightingRow, VisitorRow

_log = logging.getLogger(__name__)


def merge(session: Session, kept: VisitorRow, gone: VisitorRow, visits: list[str]) -> None:
    """Move ``visits``, the genuine ones of ``gone``, and its marks to ``kept``, and remove ``gone``.

    Raises UsageError if they are the same, or one was named: its visits are a person's already.
    """
    _require_unnamed_pair(kept, gone)
    cipher = cipher_of(session)
    for row in session.scalars(select(SightingRow).where(SightingRow.identifier.in_(visits))):
        row.visitor_id, row.visitor_seal = kept.id, seals.visit_seal(cipher, row.identifier, kept.id)
    _move_marks(session, cipher, kept.id, gone.id)
    elsewhere.move(session, cipher, kept.id, gone.id)
    kept.uid, other = sorted((kept.uid, gone.uid))
    forgotten.remember_visitor(session, other, kept.uid)
    kept.visits += gone.visits
    kept.first_seen, kept.last_seen = min(kept.first_seen, gone.first_seen), max(kept.last_seen, gone.last_seen)
    session.flush()
    session.delete(gone)
    session.flush()
    people.mark_changed(session)


def nearest(session: Session, visitor: int, visits: list[str]) -> list[tuple[int, float]]:
    """Return the other visitors without a name, as (number, cosine), those most like ``visitor`` first.

    ``visits`` are the visitor's. Those by another model's faces are left out.
    """
    faces = sighting_faces.of(session, visits)
    if not faces:
        return []
    model = faces[-1].seen.model_sha256
    mine = template_of(np.stack([face.seen.embedding for face in faces if face.seen.model_sha256 == model]))
    found = list[tuple[int, float]]()
    for number, theirs in elsewhere.known_visits(session, model).items():
        if number != visitor:
            found.append((number, float(template_of(np.stack([visit.mean for visit in theirs])) @ mine)))
    return sorted(found, key=lambda one: (-one[1], one[0]))


def _require_unnamed_pair(kept: VisitorRow, gone: VisitorRow) -> None:
    if kept.id == gone.id:
        raise UsageError(f"visitor {kept.id} cannot be merged with itself", "give two different numbers")
    for one, other in ((kept, gone), (gone, kept)):
        if one.name is not None:
            raise UsageError(
                f"visitor {one.id} was named {one.name} already",
                f"give the other the same name: facesecure visitors name {other.id} {one.name!r}",
            )


def _move_marks(session: Session, cipher: FieldCipher, kept: int, gone: int) -> None:
    """Encrypt the marks of visitor ``gone`` for ``kept``; one that cannot be read is removed."""
    query = (
        select(MarkedFaceRow, PersonRow.uid)
        .outerjoin(PersonRow, PersonRow.id == MarkedFaceRow.not_person_id)
        .where(MarkedFaceRow.visitor_id == gone)
    )
    for row, person in session.execute(query).all():
        before = mark_context(gone, person, row.sighting, row.marked_at, row.model_sha256)
        after = mark_context(kept, person, row.sighting, row.marked_at, row.model_sha256)
        try:
            embedding = cipher.decrypt(row.embedding, MARKED_EMBEDDING, before)
            crop = cipher.decrypt(row.crop_png, MARKED_CROP, before)
        except ValueError as error:
            _log.warning("a marked face of visitor %d is left out: %s", gone, error)
            session.delete(row)
            continue
        row.visitor_id = kept
        row.embedding = cipher.encrypt(embedding, MARKED_EMBEDDING, after)
        row.crop_png = cipher.encrypt(crop, MARKED_CROP, after)
