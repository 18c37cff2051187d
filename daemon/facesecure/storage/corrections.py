"""What the household says of one sighting: it was NAME, it was not NAME, it was nobody we know.

How it was told stays. Evidence follows what is said: faces enrolled from the sighting leave the person it was not, and
are remembered as a stranger's; or they are enrolled for the person it was.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from facesecure.domain import VerdictKind
from facesecure.domain.errors import UsageError
from facesecure.domain.names import name_key
from facesecure.domain.records import EnrolledFace, Person, StoredFace, TemplateMaker
from facesecure.recognition.templates import templates_of
from facesecure.recognition.visitor_matching import MatchVisitor
from facesecure.storage import people, sighting_faces, visitors
from facesecure.storage.database import Database
from facesecure.storage.tables import FaceRow, PersonRow, SightingRow


class Corrections:
    """Each method is one transaction; identifiers are whole ones (``Store.sighting`` finds them by their beginning)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def faces(self, identifier: str) -> list[StoredFace]:
        """The faces of a sighting. Raises UsageError where none is kept."""
        with self._database.read() as session:
            found = sighting_faces.of(session, [identifier])
        if not found:
            raise UsageError(*_faceless(identifier))
        return found

    def not_known(
        self, identifier: str, name: str | None, choose: MatchVisitor, template: TemplateMaker = templates_of
    ) -> tuple[int, int]:
        """It was not ``name``; with None it was nobody we know. Returns its visitor's number and the faces taken away.

        Raises UsageError where it was not taken for ``name``, nobody is called that, no faces of it are kept, or a
        person would be left without any face.
        """
        with self._database.write() as session:
            row = _row(session, identifier)
            person = None if name is None else _taken_for(session, row, name)
            removed = _disown(session, identifier, FaceRow.person_id == person.id if person else None, template)
            words = f"corrected: not {person.name}" if person else "corrected: nobody we know"
            visitors.corrected(session, SightingRow.identifier == identifier, VerdictKind.STRANGER, None, words)
            visitors.leave_named(session, row)
            visitor = visitors.group(session, row, choose)
            if visitor is None:
                raise UsageError(*_faceless(identifier))
            sighting_faces.mark(session, identifier, visitor, person.id if person else None)
            people.changed(session)
        self._database.forget()
        return visitor, removed

    def known(
        self, identifier: str, name: str, faces: Sequence[EnrolledFace], template: TemplateMaker = templates_of
    ) -> Person:
        """It was ``name``, who is enrolled with ``faces`` (of this sighting) from now on, new or not.

        Raises UsageError where ``name`` cannot be one, or somebody else would be left without any face.
        """
        with self._database.write() as session:
            row = _row(session, identifier)
            person = people.add_faces(session, name, faces, template)
            owner = people.find(session, name)
            _disown(session, identifier, FaceRow.person_id != owner.id, template)
            sighting_faces.unmark(session, identifier)
            visitors.leave(session, row)
            visitors.corrected(session, SightingRow.identifier == identifier, VerdictKind.KNOWN, owner, "corrected")
        self._database.forget()
        return person


def _row(session: Session, identifier: str) -> SightingRow:
    row = session.get(SightingRow, identifier)
    if row is None:
        raise UsageError(f"there is no sighting {identifier!r}", "facesecure events list shows them")
    return row


def _taken_for(session: Session, row: SightingRow, name: str) -> PersonRow:
    """The person of that name, if the sighting was told or corrected to be theirs."""
    person = people.find(session, name)
    if name_key(name) not in (row.name_key, row.corrected_name_key):
        told = f"told as {row.name}" if row.name else f"told as {row.kind}"
        raise UsageError(
            f"sighting {row.identifier[:8]} was not taken for {person.name}: it was {told}",
            "to say that it was nobody you know: --stranger",
        )
    return person


def _disown(session: Session, identifier: str, whose: ColumnElement[bool] | None, template: TemplateMaker) -> int:
    """Remove what was enrolled from a sighting, of all people or of some; returns how many faces."""
    which = [FaceRow.sighting == identifier, *([] if whose is None else [whose])]
    rows = session.execute(select(FaceRow.id, FaceRow.person_id).where(*which)).all()
    for person in {row.person_id for row in rows}:
        _require_others(session, person, [row.id for row in rows])
    session.execute(delete(FaceRow).where(FaceRow.id.in_([row.id for row in rows])))
    for person in {row.person_id for row in rows}:
        people.remake_templates(session, person, template)
    return len(rows)


def _require_others(session: Session, person: int, leaving: Sequence[int]) -> None:
    left = select(func.count(FaceRow.id)).where(FaceRow.person_id == person, FaceRow.id.not_in(leaving))
    if not session.scalar(left):
        name = session.scalars(select(PersonRow.name).where(PersonRow.id == person)).one()
        raise UsageError(
            f"every face {name} is known by was seen in this sighting",
            f"to forget {name}: facesecure people remove {name!r}; then correct the sighting with --stranger",
        )


def _faceless(identifier: str) -> tuple[str, str]:
    return (
        f"no face of sighting {identifier[:8]} is kept",
        "faces are kept with sightings as long as the sightings are, if there were usable ones: [store] keep_days",
    )
