"""Enrolled people: list, find, rename and remove them. Every function works inside the session that it is given."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from facesecure.domain.errors import UsageError
from facesecure.domain.names import name_key, person_name
from facesecure.domain.records import Person
from facesecure.storage import anonymise, forgotten, seals
from facesecure.storage.encryption import cipher_of
from facesecure.storage.tables import CounterRow, FaceRow, PersonRow, SeenFaceRow, VisitorRow
from facesecure.util.plain_text import skeleton


def all_people(session: Session) -> list[Person]:
    """Return every enrolled person, ordered by name."""
    query = (
        select(PersonRow, func.count(FaceRow.id))
        .outerjoin(FaceRow, FaceRow.person_id == PersonRow.id)
        .group_by(PersonRow.id)
        .order_by(PersonRow.name_key)
    )
    cipher = cipher_of(session)
    return [
        Person(row.name, row.created_at, faces, seals.is_genuine(cipher, row), row.uid, row.edition)
        for row, faces in session.execute(query)
    ]


def find(session: Session, name: str) -> PersonRow:
    """Return the row of ``name`` (case does not matter). Raises UsageError if no person of that name is enrolled."""
    row = find_or_none(session, name)
    if row is None:
        raise UsageError(f"no person called {name!r} is enrolled", _hint(session))
    return row


def find_or_none(session: Session, name: str) -> PersonRow | None:
    """Return the row of ``name`` (case does not matter), or None."""
    return session.scalar(select(PersonRow).where(PersonRow.name_key == name_key(name)))


def expected(session: Session, uid: str) -> PersonRow:
    """Return the row of the person ``uid``.

    Raises UsageError if that person is there no longer, StoreError if the row was changed outside of facesecure.
    """
    row = session.scalar(select(PersonRow).where(PersonRow.uid == uid))
    if row is None:
        raise UsageError("the person is enrolled no longer", "they were removed meanwhile; enrol them anew")
    seals.require_genuine(cipher_of(session), row)
    return row


def find_or_add(session: Session, name: str) -> PersonRow:
    """Return the row of ``name``, inserted if it is new.

    Raises UsageError if ``name`` is not valid, StoreError if the row was changed outside of facesecure.
    """
    row = find_or_none(session, name)
    if row is None:
        return insert(session, name, seals.new_uid())
    seals.require_genuine(cipher_of(session), row)
    return row


def insert(session: Session, name: str, uid: str) -> PersonRow:
    """Insert a person, and return the row. Raises UsageError if ``name`` is not valid, or somebody has it."""
    if find_or_none(session, name) is not None:
        raise UsageError(f"a person called {name!r} was enrolled meanwhile", "try again")
    _refuse_lookalike(session, name)
    row = PersonRow(
        name=person_name(name),
        name_key=name_key(name),
        created_at=datetime.now(UTC),
        uid=uid,
        edition=seals.new_uid(),
        seal="",
    )
    row.seal = seals.person_seal(cipher_of(session), row)
    session.add(row)
    session.flush()
    forgotten.allow(session, name)
    return row


def _refuse_lookalike(session: Session, name: str, but: int | None = None) -> None:
    """Raise UsageError if another person's name differs from ``name`` only in characters that cannot be seen."""
    for row in session.scalars(select(PersonRow).where(PersonRow.id.is_distinct_from(but))):
        if skeleton(row.name_key) == skeleton(name_key(name)):
            raise UsageError(
                f"{name!r} looks the same as {row.name!r}, who is enrolled", "choose a name that can be told apart"
            )


def begin_edition(session: Session, identifier: int) -> PersonRow:
    """Return the row of a person, whose templates are about to be made again: the present ones no longer count.

    Raises StoreError if the row was changed outside of facesecure.
    """
    row, cipher = session.get_one(PersonRow, identifier), cipher_of(session)
    seals.require_genuine(cipher, row)
    row.edition = seals.new_uid()
    row.seal = seals.person_seal(cipher, row)
    return row


def rename(session: Session, old: str, new: str) -> Person:
    """Rename ``old`` to ``new``, in past sightings too.

    Raises UsageError if ``new`` is another enrolled person, StoreError if the row was changed outside of facesecure.
    """
    row = find(session, old)
    seals.require_genuine(cipher_of(session), row)
    taken = find_or_none(session, new)
    if taken is not None and taken.id != row.id:
        raise UsageError(
            f"a person called {taken.name!r} is enrolled already", "choose another name, or remove that person first"
        )
    _refuse_lookalike(session, new, but=row.id)
    before, row.name, row.name_key = row.name, person_name(new), name_key(new)
    row.seal = seals.person_seal(cipher_of(session), row)
    session.flush()
    anonymise.rename(session, row, before)
    mark_changed(session)
    return record(session, row)


def remove(session: Session, row: PersonRow, theirs: set[str]) -> tuple[Person, list[str]]:
    """Remove a person: their faces, templates and sighting faces, and their name from every sighting and alert.

    ``theirs`` are their sightings. Return the person, and the snapshot files that the caller has to delete.
    """
    person = record(session, row)
    session.execute(delete(SeenFaceRow).where(SeenFaceRow.sighting.in_(theirs)))
    files = anonymise.take_snapshots(session, theirs)
    session.execute(delete(VisitorRow).where(VisitorRow.person_id == row.id))
    anonymise.forget_name(session, row)
    session.delete(row)
    mark_changed(session)
    return person, files


def record(session: Session, row: PersonRow) -> Person:
    """Return the person of a row, with the number of their faces."""
    count = session.scalar(select(func.count(FaceRow.id)).where(FaceRow.person_id == row.id))
    return Person(row.name, row.created_at, count or 0, uid=row.uid, edition=row.edition)


def revision(session: Session) -> int:
    """Return a number that grows with every change to people, faces or templates, by any process."""
    return session.scalar(select(CounterRow.value).where(CounterRow.name == "people")) or 0


def mark_changed(session: Session) -> None:
    """Increment ``revision``, and request a backup after the transaction."""
    session.info["people"] = True
    session.execute(update(CounterRow).where(CounterRow.name == "people").values(value=CounterRow.value + 1))


def _hint(session: Session) -> str:
    names = [person.name for person in all_people(session)]
    return (
        f"enrolled: {', '.join(names)}" if names else "no one is enrolled yet: facesecure enroll NAME --images PATH..."
    )
