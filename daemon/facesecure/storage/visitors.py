"""Visitors: the sightings of strangers, grouped by person; a visitor can be named, merged with another, or removed.

Each method is one transaction. The original verdict of a sighting stays; a correction is stored beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, aliased

from facesecure.domain import VerdictKind
from facesecure.domain.errors import UsageError
from facesecure.domain.records import EnrolledFace, Person, StoredFace, TemplateMaker, Visitor
from facesecure.recognition.templates import templates_of
from facesecure.recognition.visitor_matching import MatchVisitor, VisitEmbedding
from facesecure.storage import (
    anonymise,
    correction_rows,
    elsewhere,
    enrolled_faces,
    forgotten,
    people,
    seals,
    sighting_faces,
    unfinished,
)
from facesecure.storage.database import Database
from facesecure.storage.encryption import cipher_of
from facesecure.storage.snapshots import Snapshots
from facesecure.storage.tables import (
    MarkedFaceRow,
    PersonRow,
    SeenFaceRow,
    SightingRow,
    VisitorElsewhereRow,
    VisitorRow,
)
from facesecure.storage.visitor_merge import merge, nearest
from facesecure.storage.visitor_summary import summary
from facesecure.storage.writes import Writer

_LIST_HINT = "facesecure visitors list shows them"


class Visitors:
    """The strangers that were seen.

    Example::

        store.visitors.name(3, "Grace", faces)
    """

    def __init__(self, database: Database, snapshots: Snapshots, writer: Writer) -> None:
        self._database = database
        self._snapshots = snapshots
        self._writer = writer

    def all(self, limit: int | None = None, offset: int = 0, *, named: bool = True) -> list[Visitor]:
        """Return the visitors, the last seen first, ``limit`` of them from ``offset`` on.

        Without ``named``, only those who may be named here: not named yet, and seen at this door.
        """
        query = select(VisitorRow).order_by(VisitorRow.last_seen.desc(), VisitorRow.id.desc())
        query = query if named else query.where(VisitorRow.name.is_(None), VisitorRow.visits > 0)
        with self._database.read() as session:
            rows = session.scalars(query.limit(limit).offset(offset)).all()
            return [summary(session, self._snapshots, row) for row in rows]

    def find(self, identifier: int) -> Visitor:
        """Return one visitor. Raises UsageError if there is none with that number."""
        with self._database.read() as session:
            return summary(session, self._snapshots, find_row(session, identifier))

    def faces(self, identifier: int) -> list[StoredFace]:
        """Return the stored faces of a visitor, oldest first. Raises UsageError if there is no such visitor."""
        with self._database.read() as session:
            return sighting_faces.of(session, visits_of(session, find_row(session, identifier).id))

    def face(self, identifier: int, face: int | None = None) -> StoredFace:
        """Return face number ``face`` of a visitor, or the clearest. Raises UsageError if there is no such one."""
        with self._database.read() as session:
            visits = visits_of(session, find_row(session, identifier).id)
            found = sighting_faces.one(session, sighting_faces.clearest(session, visits) if face is None else face)
            if found is None or found.sighting not in visits:
                raise UsageError(f"visitor {identifier} has no such face", "look at the visitor again")
            return found

    def visits(self, identifier: int) -> list[str]:
        """Return the identifiers of a visitor's sightings, oldest first. Raises UsageError for an unknown visitor."""
        with self._database.read() as session:
            return visits_of(session, find_row(session, identifier).id)

    def group(self, sighting: str, match: MatchVisitor) -> int | None:
        """Assign a sighting to an earlier visitor or to a new one; return the visitor's number.

        A sighting that has a visitor, was corrected, or has no faces is left unchanged (None for the last two). The
        daemon does this beside its other work, and always returns None.
        """
        write = GroupVisit(sighting, match)
        self._writer.do(write)
        return write.visitor

    def group_left_over(self, match: MatchVisitor) -> int:
        """Group the strangers whose visit was interrupted, as by a power cut. Return how many there were."""
        later = aliased(SightingRow)
        query = (
            select(SightingRow.identifier)
            .where(
                SightingRow.kind == VerdictKind.STRANGER.value,
                SightingRow.visitor_id.is_(None),
                SightingRow.corrected_kind.is_(None),
                SightingRow.identifier.in_(select(SeenFaceRow.sighting)),
                ~select(later.identifier).where(later.supersedes == SightingRow.identifier).exists(),
            )
            .order_by(SightingRow.first_seen)
        )
        with self._database.read() as session:
            left = list(session.scalars(query))
        return sum(self.group(identifier, match) is not None for identifier in left)

    def name(
        self, identifier: int, name: str, faces: Sequence[EnrolledFace], make_templates: TemplateMaker = templates_of
    ) -> Person:
        """Enrol the visitor as ``name`` with ``faces``, a new or enrolled person, and correct the past sightings.

        Raises UsageError if there is no such visitor, or ``name`` is not valid.
        """
        self._writer.settle()
        with self._database.write() as session:
            visitor = find_row(session, identifier)
            person = enrolled_faces.add(session, name, faces, make_templates)
            call(session, visitor, people.find(session, name))
            return person

    def nearest(self, identifier: int) -> list[tuple[int, float]]:
        """Return the other visitors without a name by how alike they look, as (number, cosine), the most alike first.

        Raises UsageError if there is no such visitor.
        """
        with self._database.read() as session:
            return nearest(session, identifier, visits_of(session, find_row(session, identifier).id))

    def merge(self, kept: int, gone: int) -> Visitor:
        """Make the visits and marks of visitor ``gone`` those of ``kept``, who is returned.

        Raises UsageError if there is no such visitor, both are the same, or one was named.
        """
        self._writer.settle()
        with self._database.write() as session:
            row, other = find_row(session, kept), find_row(session, gone)
            merge(session, row, other, visits_of(session, gone))
            return summary(session, self._snapshots, row)

    def forget(self, identifier: int) -> Visitor:
        """Remove a visitor with all their faces and snapshots, from the disk too; their sightings stay.

        A visitor who was named stays enrolled. Raises UsageError if there is none with that number.
        """
        self._writer.settle()
        with self._database.write() as session:
            row = find_row(session, identifier)
            gone, visits = summary(session, self._snapshots, row), visits_of(session, row.id)
            sighting_faces.forget(session, visits)
            files = anonymise.take_snapshots(session, visits)
            for uid in {row.uid, *elsewhere.uids(session, row.id)}:
                forgotten.remember_visitor(session, uid)
            session.delete(row)
            people.mark_changed(session)
            forgotten.remember(session, "", "", visits)
            unfinished.begin(session, unfinished.Removal("", "", tuple(files)))
        unfinished.erase(self._database, self._snapshots)
        return gone


@dataclass(slots=True)
class GroupVisit:
    """Assign a stranger's sighting to a visitor, whose number is then ``visitor``; see ``Visitors.group``."""

    beside: ClassVar[bool] = True
    sighting: str
    match: MatchVisitor
    visitor: int | None = None

    def apply(self, session: Session, *, deferred: bool) -> None:  # noqa: ARG002 - a second time changes nothing
        """Assign it, unless it has a visitor, was corrected, or has no faces."""
        row = session.get(SightingRow, self.sighting)
        if row is not None and row.corrected_kind is None:
            self.visitor = group(session, row, self.match)

    def document(self) -> dict[str, Any]:
        """Return nothing: sightings without a visitor are grouped at each start."""
        return {}


def call(session: Session, visitor: VisitorRow, person: PersonRow) -> None:
    """Make a visitor an enrolled person: past sightings are theirs, and nothing of the visitor is a stranger's."""
    visitor.name, visitor.person_id = person.name, person.id
    session.execute(delete(MarkedFaceRow).where(MarkedFaceRow.visitor_id == visitor.id))
    correction_rows.write(session, SightingRow.visitor_id == visitor.id, VerdictKind.KNOWN, person, "named later")


def find_row(session: Session, identifier: int) -> VisitorRow:
    """Return the row of a visitor. Raises UsageError if there is none with that number."""
    row = session.get(VisitorRow, identifier)
    if row is None:
        raise UsageError(f"there is no visitor {identifier}", _LIST_HINT)
    return row


def visits_of(session: Session, visitor: int) -> list[str]:
    """Return the identifiers of a visitor's sightings, oldest first; not of those that others have moved to it."""
    query = select(SightingRow.identifier, SightingRow.visitor_seal).where(SightingRow.visitor_id == visitor)
    rows, cipher = session.execute(query.order_by(SightingRow.first_seen, SightingRow.identifier)), cipher_of(session)
    return [one for one, seal in rows if seals.matches(seals.visit_seal(cipher, one, visitor), seal)]


def group(session: Session, row: SightingRow, match: MatchVisitor) -> int | None:
    """Assign a sighting to a visitor, if necessary a new one; return their number, None if it has no faces."""
    if row.visitor_id is not None:
        return row.visitor_id
    faces = sighting_faces.of(session, [row.identifier])
    if not faces:
        return None
    model = faces[-1].seen.model_sha256
    alike = [face.seen for face in faces if face.seen.model_sha256 == model]
    newcomer = VisitEmbedding.of(np.stack([f.embedding for f in alike]), [f.face.quality.clarity for f in alike])
    number = match(newcomer, elsewhere.known_visits(session, model))
    visitor = VisitorRow(first_seen=row.first_seen, last_seen=row.last_seen, visits=0)
    if number is None:
        session.add(visitor)
        session.flush()
    else:
        visitor = find_row(session, number)
    _join(session, visitor, row)
    return visitor.id


def leave(session: Session, row: SightingRow) -> None:
    """Remove a sighting and its times from its visitor; a visitor without visits is removed."""
    visitor = None if row.visitor_id is None else session.get(VisitorRow, row.visitor_id)
    if visitor is None:
        return
    row.visitor_id = row.visitor_seal = None
    visitor.visits -= 1
    session.flush()
    theirs = SightingRow.visitor_id == visitor.id
    first, last = session.execute(
        select(func.min(SightingRow.first_seen), func.max(SightingRow.last_seen)).where(theirs)
    ).one()
    if first is None:
        if not elsewhere.keep_times(session, visitor):
            session.delete(visitor)
        return
    # a time that this sighting did not set is that of another, perhaps one that retention has removed since
    if visitor.first_seen >= row.first_seen:
        visitor.first_seen = first
    if visitor.last_seen <= row.last_seen:
        visitor.last_seen = last


def leave_named(session: Session, row: SightingRow) -> None:
    """Remove a sighting from its visitor if the visitor was named: it turned out not to be that person."""
    visitor = None if row.visitor_id is None else session.get(VisitorRow, row.visitor_id)
    if visitor is not None and visitor.name is not None:
        leave(session, row)


def remove_faceless(session: Session) -> int:
    """Remove visitors without any face, who could never be matched again; return how many."""
    seen = select(SightingRow.visitor_id).join(SeenFaceRow).where(SightingRow.visitor_id.is_not(None))
    kept = seen, select(MarkedFaceRow.visitor_id), select(VisitorElsewhereRow.visitor_id)
    gone = delete(VisitorRow).where(*(VisitorRow.id.not_in(one) for one in kept))
    return int(session.execute(gone).rowcount)  # type: ignore[attr-defined]


def _join(session: Session, visitor: VisitorRow, row: SightingRow) -> None:
    visitor.visits += 1
    visitor.first_seen = min(visitor.first_seen, row.first_seen)
    visitor.last_seen = max(visitor.last_seen, row.last_seen)
    row.visitor_id = visitor.id
    row.visitor_seal = seals.visit_seal(cipher_of(session), row.identifier, visitor.id)
    session.flush()
