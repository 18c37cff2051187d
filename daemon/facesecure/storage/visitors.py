"""Visitors: strangers' sightings grouped by who it was, named, forgotten; and what the household says of one sighting.

Each method is one transaction. How a sighting was told stays as it is; what was said later stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session, aliased

from facesecure.domain import VerdictKind
from facesecure.domain.errors import UsageError
from facesecure.domain.records import EnrolledFace, Person, StoredFace, TemplateMaker, Visitor
from facesecure.recognition.templates import templates_of
from facesecure.recognition.visitor_matching import MatchVisitor, VisitEmbedding
from facesecure.storage import anonymise, people, sighting_faces
from facesecure.storage.database import Database
from facesecure.storage.snapshots import Snapshots
from facesecure.storage.tables import MarkedFaceRow, PersonRow, SeenFaceRow, SightingRow, VisitorRow

_LIST_HINT = "facesecure visitors list shows them"


class Visitors:
    """Who came and is not known."""

    def __init__(self, database: Database, snapshots: Snapshots) -> None:
        self._database = database
        self._snapshots = snapshots

    def all(self) -> list[Visitor]:
        """Everybody, those seen last first."""
        with self._database.read() as session:
            rows = session.scalars(select(VisitorRow).order_by(VisitorRow.last_seen.desc(), VisitorRow.id.desc())).all()
            return [self._summary(session, row) for row in rows]

    def find(self, identifier: int) -> Visitor:
        """One of them. Raises UsageError where there is none of that number."""
        with self._database.read() as session:
            return self._summary(session, find_row(session, identifier))

    def faces(self, identifier: int) -> list[StoredFace]:
        """The faces kept of a visitor, oldest first. Raises UsageError where there is none of that number."""
        with self._database.read() as session:
            return sighting_faces.of(session, visits_of(session, find_row(session, identifier).id))

    def visits(self, identifier: int) -> list[str]:
        """The identifiers of a visitor's sightings that are still kept, oldest first. Raises UsageError as above."""
        with self._database.read() as session:
            return visits_of(session, find_row(session, identifier).id)

    def group(self, sighting: str, choose: MatchVisitor) -> int | None:
        """Say whose visit a sighting was: somebody's who came before, or a new visitor's. Returns their number.

        A sighting that has a visitor, was corrected, or has no faces is left as it is (None for the last two).
        """
        with self._database.write() as session:
            row = session.get(SightingRow, sighting)
            if row is None or row.corrected_kind is not None:
                return None
            return group(session, row, choose)

    def group_left_over(self, choose: MatchVisitor) -> int:
        """Group the strangers whose visit ended without a word, as in a power cut. Returns how many there were."""
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
        return sum(self.group(identifier, choose) is not None for identifier in left)

    def name(
        self, identifier: int, name: str, faces: Sequence[EnrolledFace], template: TemplateMaker = templates_of
    ) -> Person:
        """Enrol the visitor as ``name`` with ``faces``, or give somebody of that name more; say so on past sightings.

        Raises UsageError where there is no such visitor, or ``name`` cannot be one.
        """
        with self._database.write() as session:
            visitor = find_row(session, identifier)
            person = people.add_faces(session, name, faces, template)
            row = people.find(session, name)
            visitor.name, visitor.person_id = row.name, row.id
            session.execute(delete(MarkedFaceRow).where(MarkedFaceRow.visitor_id == visitor.id))
            corrected(session, SightingRow.visitor_id == visitor.id, VerdictKind.KNOWN, row, "named later")
            return person

    def forget(self, identifier: int) -> Visitor:
        """Remove a visitor with every face and snapshot of theirs, from the file too; that somebody came stays.

        Whoever was named stays enrolled. Raises UsageError where there is none of that number.
        """
        with self._database.write() as session:
            row = find_row(session, identifier)
            gone, visits = self._summary(session, row), visits_of(session, row.id)
            sighting_faces.forget(session, visits)
            files = anonymise.take_snapshots(session, visits)
            session.delete(row)
            people.changed(session)
        for file in files:
            self._snapshots.remove(file)
        self._database.forget()
        return gone

    def _summary(self, session: Session, row: VisitorRow) -> Visitor:
        clarity = func.json_extract(SeenFaceRow.quality, "$.clarity")
        best = (
            select(SightingRow.snapshot)
            .join(SeenFaceRow, SeenFaceRow.sighting == SightingRow.identifier)
            .where(SightingRow.visitor_id == row.id, SightingRow.snapshot.is_not(None))
            .order_by(clarity.desc())
            .limit(1)
        )
        count = select(func.count(SeenFaceRow.id)).join(SightingRow).where(SightingRow.visitor_id == row.id)
        marks = select(func.count(MarkedFaceRow.id)).where(MarkedFaceRow.visitor_id == row.id)
        snapshot = session.scalar(best)
        return Visitor(
            row.id,
            row.first_seen,
            row.last_seen,
            row.visits,
            row.name,
            bool(session.scalar(marks)),
            session.scalar(count) or 0,
            self._snapshots.path(snapshot) if snapshot else None,
        )


def find_row(session: Session, identifier: int) -> VisitorRow:
    """Raises UsageError where there is no visitor of that number."""
    row = session.get(VisitorRow, identifier)
    if row is None:
        raise UsageError(f"there is no visitor {identifier}", _LIST_HINT)
    return row


def visits_of(session: Session, visitor: int) -> list[str]:
    """The identifiers of a visitor's sightings, oldest first."""
    query = select(SightingRow.identifier).where(SightingRow.visitor_id == visitor)
    return list(session.scalars(query.order_by(SightingRow.first_seen, SightingRow.identifier)))


def group(session: Session, row: SightingRow, choose: MatchVisitor) -> int | None:
    """The number of the visitor that a sighting is a visit of, a new one's if need be; None where it has no faces."""
    if row.visitor_id is not None:
        return row.visitor_id
    faces = sighting_faces.of(session, [row.identifier])
    if not faces:
        return None
    model = faces[-1].seen.model_sha256
    alike = [face.seen for face in faces if face.seen.model_sha256 == model]
    newcomer = VisitEmbedding.of(np.stack([f.embedding for f in alike]), [f.face.quality.clarity for f in alike])
    number = choose(newcomer, sighting_faces.visits_by_visitor(session, model))
    visitor = VisitorRow(first_seen=row.first_seen, last_seen=row.last_seen, visits=0)
    if number is None:
        session.add(visitor)
        session.flush()
    else:
        visitor = find_row(session, number)
    _join(session, visitor, row)
    return visitor.id


def leave(session: Session, row: SightingRow) -> None:
    """Take a sighting out of its visitor's visits; a visitor without any is gone."""
    visitor = None if row.visitor_id is None else session.get(VisitorRow, row.visitor_id)
    if visitor is None:
        return
    row.visitor_id = None
    visitor.visits -= 1
    session.flush()
    if not visits_of(session, visitor.id):
        session.delete(visitor)


def leave_named(session: Session, row: SightingRow) -> None:
    """Take a sighting out of its visitor's visits if that visitor has a name, which it turned out not to be."""
    visitor = None if row.visitor_id is None else session.get(VisitorRow, row.visitor_id)
    if visitor is not None and visitor.name is not None:
        leave(session, row)


def remove_faceless(session: Session) -> int:
    """Remove visitors of whom no face is left, and who could never be seen again; returns how many."""
    seen = select(SightingRow.visitor_id).join(SeenFaceRow).where(SightingRow.visitor_id.is_not(None))
    gone = delete(VisitorRow).where(VisitorRow.id.not_in(seen), VisitorRow.id.not_in(select(MarkedFaceRow.visitor_id)))
    return int(session.execute(gone).rowcount)  # type: ignore[attr-defined]


def corrected(
    session: Session, which: ColumnElement[bool], kind: VerdictKind, person: PersonRow | None, words: str
) -> None:
    """Write beside sightings what was said of them later. ``person`` for KNOWN."""
    session.execute(
        update(SightingRow)
        .where(which)
        .values(
            corrected_kind=kind.value,
            corrected_name=person.name if person else None,
            corrected_name_key=person.name_key if person else None,
            corrected_person_id=person.id if person else None,
            correction=words,
            corrected_at=datetime.now(UTC),
        )
    )


def _join(session: Session, visitor: VisitorRow, row: SightingRow) -> None:
    visitor.visits += 1
    visitor.first_seen = min(visitor.first_seen, row.first_seen)
    visitor.last_seen = max(visitor.last_seen, row.last_seen)
    row.visitor_id = visitor.id
    session.flush()
