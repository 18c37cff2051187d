"""Rename a person in past sightings and alerts, or remove the name when the person is removed.

The sighting itself and its times stay: it is then one of "somebody forgotten", without a snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from facesecure.domain.names import FORGOTTEN
from facesecure.storage import outbox
from facesecure.storage.clips import clips_of
from facesecure.storage.tables import PersonRow, SightingRow, VisitorRow

BESIDE = timedelta(seconds=10)
"""Time around a person's visits in which they may stand in a snapshot or a film of another visit."""


def rename(session: Session, row: PersonRow, before: str) -> None:
    """Replace the name ``before`` by the name of ``row`` in every sighting and alert of the person."""
    session.execute(
        update(SightingRow).where(SightingRow.person_id == row.id).values(name=row.name, name_key=row.name_key)
    )
    session.execute(update(SightingRow).where(SightingRow.second_name == before).values(second_name=row.name))
    session.execute(
        update(SightingRow)
        .where(SightingRow.corrected_person_id == row.id)
        .values(corrected_name=row.name, corrected_name_key=row.name_key)
    )
    session.execute(update(VisitorRow).where(VisitorRow.person_id == row.id).values(name=row.name))
    _reword(session, before, row.name)


def forget_name(session: Session, row: PersonRow) -> None:
    """Remove the person's name from every sighting and alert, in any case and whichever column links it."""
    named = SightingRow.name_key == row.name_key
    session.execute(update(SightingRow).where(named).values(name=FORGOTTEN, name_key=None))
    corrected = SightingRow.corrected_name_key == row.name_key
    session.execute(update(SightingRow).where(corrected).values(corrected_name=FORGOTTEN, corrected_name_key=None))
    session.execute(update(SightingRow).where(SightingRow.second_name == row.name).values(second_name=FORGOTTEN))
    _reword(session, row.name, FORGOTTEN)


def take_snapshots(session: Session, identifiers: Iterable[str]) -> list[str]:
    """Clear the snapshots of sightings; return the files to delete, those of the films that show something of them too.

    A film is removed whoever else is in it.
    """
    mine = SightingRow.identifier.in_(list(identifiers))
    which = mine, SightingRow.snapshot.is_not(None)
    times = [
        (row.first_seen - BESIDE, row.last_seen + BESIDE) for row in session.scalars(select(SightingRow).where(mine))
    ]
    files = [file for file in session.scalars(select(SightingRow.snapshot).where(*which)) if file]
    session.execute(update(SightingRow).where(*which).values(snapshot=None, snapshot_bytes=0, box=None))
    return files + clips_of(session).overlapping(times)


def sightings_of(session: Session, row: PersonRow) -> set[str]:
    """Return the person's sightings, as first decided or as corrected, as a visitor, and those they supersede."""
    visits = select(VisitorRow.id).where(VisitorRow.person_id == row.id)
    mine = or_(
        SightingRow.person_id == row.id,
        SightingRow.corrected_person_id == row.id,
        SightingRow.visitor_id.in_(visits),
        SightingRow.name_key == row.name_key,
        SightingRow.corrected_name_key == row.name_key,
    )
    found = session.execute(select(SightingRow.identifier, SightingRow.supersedes).where(mine)).all()
    theirs, earlier = {one.identifier for one in found}, {one.supersedes for one in found if one.supersedes}
    while earlier - theirs:
        theirs |= earlier
        before = select(SightingRow.supersedes).where(SightingRow.identifier.in_(earlier))
        earlier = {identifier for identifier in session.scalars(before) if identifier}
    return theirs


def _reword(session: Session, old: str, new: str) -> None:
    """Replace the name ``old`` by ``new`` in the reasons and corrections of sightings, and in alerts."""
    foreign = func.typeof(SightingRow.identifier) != "text"  # others wrote it: it could be neither read nor changed
    session.execute(delete(SightingRow).where(foreign))
    mentions = or_(_contains(SightingRow.why, old), _contains(SightingRow.correction, old))
    for sighting in session.scalars(select(SightingRow).where(mentions)):
        sighting.why = replace_name(sighting.why, old, new)
        sighting.correction = sighting.correction and replace_name(sighting.correction, old, new)
    outbox.reword(session, old, new)


def _contains(column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], name: str) -> ColumnElement[bool]:
    return func.instr(column, name) > 0


def replace_name(text: str, old: str, new: str) -> str:
    """Replace whole names only: Al is not in Alan."""
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, text)
