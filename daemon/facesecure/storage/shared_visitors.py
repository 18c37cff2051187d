"""The visitors of this door as other doors of the household are told of them, and what those tell.

A visitor has a random ``uid``, which all doors know. Two doors that saw one stranger at the same time made two: the
lower one stays, and what is ``gone`` says which became which. Whoever was forgotten does not come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from facesecure.recognition.visitor_matching import MatchVisitor, VisitEmbedding
from facesecure.storage import elsewhere, forgotten, people, sighting_faces, visitor_merge, visitors
from facesecure.storage.database import Database
from facesecure.storage.encryption import cipher_of
from facesecure.storage.shared_marks import SharedMarks
from facesecure.storage.tables import (
    PersonRow,
    SeenFaceRow,
    SightingRow,
    VisitorElsewhereRow,
    VisitorRow,
)
from facesecure.storage.writes import Writer


@dataclass(frozen=True, slots=True)
class VisitorPart:
    """What one door has seen of a visitor. ``looks`` are of some visits, none once the visitor was named.

    ``person`` is who they were named: of a part from here the ``uid`` of a local person, of another door's a word
    of the caller's, which ``to_name`` returns again.
    """

    uid: str
    first_seen: datetime
    last_seen: datetime
    visits: int
    looks: tuple[VisitEmbedding, ...] = ()
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """What ``door``, called ``place``, says of all visitors whose uids ``begin`` so; looks are by ``model_sha256``."""

    door: str
    place: str
    begin: str
    model_sha256: str
    parts: tuple[VisitorPart, ...]


_VISITORS = select(
    func.count(), func.total(VisitorRow.visits), func.max(VisitorRow.last_seen), func.count(VisitorRow.name)
).select_from(VisitorRow)
_FACES = select(func.count(), func.max(SeenFaceRow.id)).select_from(SeenFaceRow)


class SharedVisitors:
    """Reads and writes what doors share of visitors. Each method is one transaction, and raises StoreError.

    ``marks`` are their marked faces.

    Example::

        store.shared_visitors.take([Arrival(door, "gate", "a3f", model_sha256, parts)], match)
    """

    def __init__(self, database: Database, writer: Writer) -> None:
        """Share those in ``database``."""
        self._database, self._writer = database, writer
        self.marks = SharedMarks(database, writer)

    def revision(self) -> tuple[object, ...]:
        """Return what is another when visitors here have changed; cheap."""
        with self._database.read() as session:
            visitors_, faces = session.execute(_VISITORS).one(), session.execute(_FACES).one()
            return (*visitors_, *faces, forgotten.count_visitors(session), people.revision(session))

    def own(self, model_sha256: str, most: int, looks: int) -> list[VisitorPart]:
        """Return what this door has seen of ``most`` visitors, the latest, with at most ``looks`` visits of each."""
        times = (
            select(VisitorRow, PersonRow.uid, func.min(SightingRow.first_seen), func.max(SightingRow.last_seen))
            .join(SightingRow, SightingRow.visitor_id == VisitorRow.id)
            .outerjoin(PersonRow, PersonRow.id == VisitorRow.person_id)
            .group_by(VisitorRow.id)
            .order_by(func.max(SightingRow.last_seen).desc(), VisitorRow.id.desc())
            .limit(most)
        )
        with self._database.read() as session:
            seen = sighting_faces.visits_by_visitor(session, model_sha256)
            found = [
                VisitorPart(row.uid, first, last, max(1, row.visits), tuple(seen.get(row.id, ())[-looks:]), person)
                for row, person, first, last in session.execute(times)
            ]
        return [one for one in found if one.looks or one.person]

    def gone(self) -> dict[str, str]:
        """Return who is no visitor any more: what they became by ``uid``, empty for those who were forgotten."""
        with self._database.read() as session:
            return forgotten.gone_visitors(session)

    def number(self, uid: str) -> int | None:
        """Return the number of a visitor here, or of who they turned out to be; None if there is none."""
        with self._database.read() as session:
            row = _row(session, forgotten.visitor_now(session, uid))
            return None if row is None else row.id

    def forget(self, uids: Iterable[str]) -> None:
        """Remember that visitors were forgotten at another door; those that are here have to be forgotten first."""
        with self._database.write() as session:
            for uid in uids:
                forgotten.remember_visitor(session, uid)

    def same(self, gone: str, kept: str) -> None:
        """Remember that another door found two visitors to be one; merge them if both are here and unnamed.

        Raises ValueError unless ``kept`` is the lower one.
        """
        if not kept < gone:
            raise ValueError("not the lower of two visitors")
        self._writer.settle()
        with self._database.write() as session:
            now = forgotten.visitor_now(session, kept)
            row, other = _row(session, gone), _row(session, now)
            forgotten.remember_visitor(session, gone, kept)
            if row is not None and other is not None and row.id != other.id and row.name is other.name is None:
                visitor_merge.merge(session, other, row, visitors.visits_of(session, row.id))
            elif row is not None and other is None and now:
                row.uid = now

    def take(self, arrivals: Iterable[Arrival], match: MatchVisitor) -> bool:
        """Take in what other doors say; ``match`` finds who the visitors are. Return whether anything was new.

        Nobody comes back who was forgotten. All is one transaction.
        """
        self._writer.settle()
        with self._database.write() as session:
            known = dict[str, dict[int, list[VisitEmbedding]]]()
            changed = [_taken(session, one, known, match) for one in arrivals]
            elsewhere.remove_empty(session)
        return any(changed)

    def to_name(self) -> list[tuple[int, str]]:
        """Return the visitors that another door has named, and this one has not yet, with the word for the person."""
        query = select(VisitorRow.id, VisitorElsewhereRow.person).join(
            VisitorElsewhereRow, VisitorElsewhereRow.visitor_id == VisitorRow.id
        )
        named = VisitorRow.name.is_(None) & VisitorElsewhereRow.person.is_not(None)
        with self._database.read() as session:
            return [(number, word) for number, word in session.execute(query.where(named)) if word is not None]

    def name(self, number: int, person: str) -> bool:
        """Make visitor ``number`` the enrolled person with the uid ``person``. Return False if either is gone."""
        self._writer.settle()
        with self._database.write() as session:
            row = session.get(VisitorRow, number)
            who = session.scalar(select(PersonRow).where(PersonRow.uid == person))
            if row is None or who is None or row.name is not None:
                return False
            visitors.call(session, row, who)
            people.mark_changed(session)
            return True


def _row(session: Session, uid: str) -> VisitorRow | None:
    return session.scalar(select(VisitorRow).where(VisitorRow.uid == uid)) if uid else None


def _welcome(
    session: Session, uid: str, part: VisitorPart, known: Mapping[int, list[VisitEmbedding]], match: MatchVisitor
) -> VisitorRow:
    """Return the visitor whom all of the part's visits match, or a new one. Of two uids the lower one stays."""
    numbers = {match(look, known) for look in part.looks}
    number = numbers.pop() if len(numbers) == 1 else None
    row = None if number is None else session.get(VisitorRow, number)
    if row is None:
        row = VisitorRow(first_seen=part.first_seen, last_seen=part.last_seen, visits=0, uid=uid)
        session.add(row)
    else:
        kept, gone = sorted((row.uid, uid))
        row.uid = kept
        forgotten.remember_visitor(session, gone, kept)
    session.flush()
    return row


def _taken(
    session: Session, arrival: Arrival, known: dict[str, dict[int, list[VisitEmbedding]]], match: MatchVisitor
) -> bool:
    """Put the parts in the place of what the door said before. Return whether that was something else.

    ``known`` are the visits of unnamed visitors by model, read when they are needed.
    """
    before = _said(session, arrival)
    gone = before.keys() - {one.uid for one in arrival.parts}
    this = VisitorElsewhereRow.door == arrival.door
    session.execute(delete(VisitorElsewhereRow).where(this, VisitorElsewhereRow.uid.in_(gone)))
    changed = bool(gone)
    for part in arrival.parts:
        if before.get(part.uid) == _facts(arrival, part):
            continue
        uid = forgotten.visitor_now(session, part.uid)
        row = _row(session, uid)
        if uid and row is None and part.looks:
            if arrival.model_sha256 not in known:
                known[arrival.model_sha256] = elsewhere.known_visits(session, arrival.model_sha256)
            row = _welcome(session, uid, part, known[arrival.model_sha256], match)
            known[arrival.model_sha256].setdefault(row.id, []).extend(part.looks)
        if row is not None:
            _put(session, row, arrival, part)
            changed = True
    return changed


def _said(session: Session, arrival: Arrival) -> dict[str, tuple[object, ...]]:
    """Return what is known of the door, in the form of ``_facts``."""
    row = VisitorElsewhereRow
    query = select(row.uid, row.place, row.model_sha256, row.first_seen, row.last_seen, row.visits, row.person)
    theirs = row.door == arrival.door, row.uid.startswith(arrival.begin)
    return {uid: tuple(facts) for uid, *facts in session.execute(query.where(*theirs))}


def _facts(arrival: Arrival, part: VisitorPart) -> tuple[object, ...]:
    """Return what is another with each change of a part, and costs no decryption."""
    return arrival.place, arrival.model_sha256, part.first_seen, part.last_seen, part.visits, part.person


def _put(session: Session, row: VisitorRow, arrival: Arrival, part: VisitorPart) -> None:
    this = VisitorElsewhereRow.door == arrival.door, VisitorElsewhereRow.uid == part.uid
    session.execute(delete(VisitorElsewhereRow).where(*this))
    made = VisitorElsewhereRow(
        visitor_id=row.id, uid=part.uid, door=arrival.door, place=arrival.place, first_seen=part.first_seen,
        last_seen=part.last_seen, visits=part.visits, person=part.person, model_sha256=arrival.model_sha256,
    )  # fmt: skip
    elsewhere.seal(cipher_of(session), made, part.looks)
    session.add(made)
    row.first_seen, row.last_seen = min(row.first_seen, part.first_seen), max(row.last_seen, part.last_seen)
    session.flush()
