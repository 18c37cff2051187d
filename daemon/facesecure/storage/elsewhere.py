"""What other doors of the household have seen of visitors, and visits at all doors together.

Every function works inside the session that it is given.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from facesecure.domain.records import SeenElsewhere
from facesecure.recognition.visitor_matching import VisitEmbedding
from facesecure.storage import sighting_faces
from facesecure.storage.encryption import ELSEWHERE_EMBEDDING, FieldCipher, cipher_of, elsewhere_context
from facesecure.storage.tables import MarkedFaceRow, SightingRow, VisitorElsewhereRow, VisitorRow

_COUNT = struct.Struct("<I")

_log = logging.getLogger(__name__)


def known_visits(session: Session, model_sha256: str) -> dict[int, list[VisitEmbedding]]:
    """Return the visits of each unnamed visitor by one model, those at other doors as well."""
    visits, cipher = sighting_faces.visits_by_visitor(session, model_sha256), cipher_of(session)
    query = (
        select(VisitorElsewhereRow)
        .join(VisitorRow, VisitorRow.id == VisitorElsewhereRow.visitor_id)
        .where(VisitorRow.name.is_(None), VisitorElsewhereRow.model_sha256 == model_sha256)
        .order_by(VisitorElsewhereRow.id)
    )
    for row in session.scalars(query):
        if looks := _looks(cipher, row):
            visits.setdefault(row.visitor_id, []).extend(looks)
    return visits


def of(session: Session, visitor: int) -> list[SeenElsewhere]:
    """Return what other doors have seen of a visitor, the latest first; each door once."""
    row, found = VisitorElsewhereRow, dict[str, SeenElsewhere]()
    query = select(row.door, row.place, row.visits, row.last_seen).where(row.visitor_id == visitor)
    for door, place, visits, last_seen in session.execute(query):
        before = found.get(door, SeenElsewhere(place, 0, last_seen))
        found[door] = SeenElsewhere(place, before.visits + visits, max(before.last_seen, last_seen))
    return sorted(found.values(), key=lambda one: (one.last_seen, one.place), reverse=True)


def uids(session: Session, visitor: int) -> list[str]:
    """Return what other doors know a visitor by, besides the visitor's own ``uid``."""
    return list(session.scalars(select(VisitorElsewhereRow.uid).where(VisitorElsewhereRow.visitor_id == visitor)))


def seal(cipher: FieldCipher, row: VisitorElsewhereRow, looks: Sequence[VisitEmbedding]) -> None:
    """Store ``looks`` in ``row``, encrypted for its visitor, door and model."""
    values = np.stack([np.append(np.float32(one.clarity), one.mean) for one in looks]) if looks else np.empty((0, 0))
    content = _COUNT.pack(len(looks)) + values.astype("<f4").tobytes()
    row.embedding = cipher.encrypt(content, ELSEWHERE_EMBEDDING, owner_of(row))


def owner_of(row: VisitorElsewhereRow) -> str:
    """Return the owner of what is encrypted in ``row``, as authenticated data."""
    return elsewhere_context(row.visitor_id, row.uid, row.door, row.model_sha256)


def move(session: Session, cipher: FieldCipher, kept: int, gone: int) -> None:
    """Make what other doors have seen of visitor ``gone`` theirs of ``kept``."""
    for row in session.scalars(select(VisitorElsewhereRow).where(VisitorElsewhereRow.visitor_id == gone)).all():
        looks = _looks(cipher, row)
        row.visitor_id = kept
        seal(cipher, row, looks)


def remove_old(session: Session, limit: datetime) -> None:
    """Remove what other doors saw last before ``limit``."""
    session.execute(delete(VisitorElsewhereRow).where(VisitorElsewhereRow.last_seen < limit))


def remove_empty(session: Session) -> None:
    """Remove visitors of whom nothing is left: no visit here, no mark, and nothing elsewhere."""
    kept = (
        select(SightingRow.visitor_id).where(SightingRow.visitor_id.is_not(None)),
        select(MarkedFaceRow.visitor_id),
        select(VisitorElsewhereRow.visitor_id),
    )
    empty = VisitorRow.visits == 0, *(VisitorRow.id.not_in(one) for one in kept)
    session.execute(delete(VisitorRow).where(*empty))


def keep_times(session: Session, visitor: VisitorRow) -> bool:
    """Give a visitor without a visit here the times of those elsewhere. Return whether there are any."""
    row = VisitorElsewhereRow
    times = select(func.min(row.first_seen), func.max(row.last_seen)).where(row.visitor_id == visitor.id)
    first, last = session.execute(times).one()
    if first is None:
        return False
    this = update(VisitorRow).where(VisitorRow.id == visitor.id)
    session.execute(this.values(first_seen=first, last_seen=last, visits=0))
    return True


def _looks(cipher: FieldCipher, row: VisitorElsewhereRow) -> list[VisitEmbedding]:
    """Return the visits in a row; none, and a line in the log, if it cannot be read."""
    owner = owner_of(row)
    try:
        content = cipher.decrypt(row.embedding, ELSEWHERE_EMBEDDING, owner)
    except ValueError as error:
        _log.warning("what was seen of %s is left out: %s", owner, error)
        return []
    count = _COUNT.unpack_from(content)[0]
    if not count:
        return []
    values = np.frombuffer(content, "<f4", offset=_COUNT.size).reshape(count, -1).astype(np.float32)
    return [VisitEmbedding(one[1:], float(one[0])) for one in values]
