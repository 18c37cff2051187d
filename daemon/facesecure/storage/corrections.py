"""Corrections of a sighting by the household: it was NAME, it was not NAME, or it was a stranger.

The original verdict stays. The faces follow the correction: those enrolled from the sighting are taken from the person
it was not, and marked as a stranger's; or they are enrolled for the person it was.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, case, delete, func, select
from sqlalchemy.orm import Session

from facesecure.domain import VerdictKind
from facesecure.domain.errors import UsageError
from facesecure.domain.names import name_key
from facesecure.domain.records import EnrolledFace, EnrolledFrom, Person, StoredFace, TemplateMaker
from facesecure.recognition.templates import templates_of
from facesecure.recognition.visitor_matching import MatchVisitor
from facesecure.storage import correction_rows, enrolled_faces, people, sighting_faces, templates, visitors
from facesecure.storage.database import Database
from facesecure.storage.tables import FaceRow, PersonRow, SightingRow


class Corrections:
    """Corrects sightings. Each method is one transaction and takes complete identifiers.

    Example::

        store.corrections.known(sighting.identifier, "Anna", faces)
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def faces(self, identifier: str) -> list[StoredFace]:
        """Return the faces of a sighting. Raises UsageError if none is stored."""
        with self._database.read() as session:
            found = sighting_faces.of(session, [identifier])
        if not found:
            raise UsageError(*_no_faces(identifier))
        return found

    def enrolled_from(self, identifier: str) -> list[EnrolledFrom]:
        """Return who is enrolled with faces of a sighting, by name; a correction to another takes these faces away."""
        here = func.count(case((FaceRow.sighting == identifier, 1)))
        query = (
            select(PersonRow.name, here, func.count(FaceRow.id))
            .join(FaceRow, FaceRow.person_id == PersonRow.id)
            .group_by(PersonRow.id)
            .having(here > 0)
            .order_by(PersonRow.name_key)
        )
        with self._database.read() as session:
            return [EnrolledFrom(name, count, of) for name, count, of in session.execute(query)]

    def not_known(
        self, identifier: str, name: str | None, match: MatchVisitor, make_templates: TemplateMaker = templates_of
    ) -> tuple[int, int]:
        """Correct a sighting to a stranger: it was not ``name``, or with None not any enrolled person.

        Return the number of its visitor, and how many enrolled faces were removed. Raises UsageError if the sighting
        was not taken for ``name``, ``name`` is not enrolled, no faces of it are stored, or a person would be left
        without any face.
        """
        with self._database.write() as session:
            row = _row(session, identifier)
            person = None if name is None else _taken_for(session, row, name)
            removed = _disown(session, identifier, FaceRow.person_id == person.id if person else None, make_templates)
            words = f"corrected: not {person.name}" if person else "corrected: nobody we know"
            correction_rows.write(session, SightingRow.identifier == identifier, VerdictKind.STRANGER, None, words)
            visitors.leave_named(session, row)
            visitor = visitors.group(session, row, match)
            if visitor is None:
                raise UsageError(*_no_faces(identifier))
            sighting_faces.mark(session, identifier, visitor, person.id if person else None)
            people.mark_changed(session)
        self._database.forget()
        return visitor, removed

    def known(
        self, identifier: str, name: str, faces: Sequence[EnrolledFace], make_templates: TemplateMaker = templates_of
    ) -> Person:
        """Correct a sighting to ``name``, a new or enrolled person, and enrol ``faces`` (of this sighting) for them.

        Raises UsageError if ``name`` is not valid, or another person would be left without any face.
        """
        with self._database.write() as session:
            row = _row(session, identifier)
            person = enrolled_faces.add(session, name, faces, make_templates)
            owner = people.find(session, name)
            _disown(session, identifier, FaceRow.person_id != owner.id, make_templates)
            sighting_faces.unmark(session, identifier)
            visitors.leave(session, row)
            this = SightingRow.identifier == identifier
            correction_rows.write(session, this, VerdictKind.KNOWN, owner, "corrected")
        self._database.forget()
        return person


def _row(session: Session, identifier: str) -> SightingRow:
    row = session.get(SightingRow, identifier)
    if row is None:
        raise UsageError(f"there is no sighting {identifier!r}", "facesecure events list shows them")
    return row


def _taken_for(session: Session, row: SightingRow, name: str) -> PersonRow:
    """Return the row of ``name``, if the sighting was decided or corrected to be theirs; else raise UsageError."""
    person = people.find(session, name)
    if name_key(name) not in (row.name_key, row.corrected_name_key):
        verdict = row.name or row.kind
        raise UsageError(
            f"sighting {row.identifier[:8]} was not taken for {person.name}: the verdict was {verdict}",
            "to correct it to a stranger: --stranger",
        )
    return person


def _disown(session: Session, identifier: str, whose: ColumnElement[bool] | None, make_templates: TemplateMaker) -> int:
    """Remove the faces enrolled from a sighting, of all people or of those in ``whose``; return how many."""
    which = [FaceRow.sighting == identifier, *([] if whose is None else [whose])]
    rows = session.execute(select(FaceRow.id, FaceRow.person_id).where(*which)).all()
    for person in {row.person_id for row in rows}:
        _require_others(session, person, [row.id for row in rows])
    session.execute(delete(FaceRow).where(FaceRow.id.in_([row.id for row in rows])))
    for person in {row.person_id for row in rows}:
        templates.remake(session, person, make_templates)
    return len(rows)


def _require_others(session: Session, person: int, leaving: Sequence[int]) -> None:
    left = select(func.count(FaceRow.id)).where(FaceRow.person_id == person, FaceRow.id.not_in(leaving))
    if not session.scalar(left):
        name = session.scalars(select(PersonRow.name).where(PersonRow.id == person)).one()
        raise UsageError(
            f"every face that {name} is enrolled with is from this sighting",
            f"to remove {name}: facesecure people remove {name!r}; then correct the sighting with --stranger",
        )


def _no_faces(identifier: str) -> tuple[str, str]:
    return (
        f"no face of sighting {identifier[:8]} is stored",
        "usable faces are stored as long as their sightings ([store] keep_days); those of a picture held up never are",
    )
