"""Write, find and read sightings. Every function works inside the session that it is given."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypedDict

from sqlalchemy import ColumnElement, Select, and_, case, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from facesecure.domain import Box, Sighting, Subject, Verdict, VerdictKind
from facesecure.domain.errors import StoreError, UsageError
from facesecure.domain.mode import Mode
from facesecure.domain.names import FORGOTTEN, name_key
from facesecure.domain.records import Correction, StoredSighting
from facesecure.domain.why import Why
from facesecure.storage import people
from facesecure.storage.database import Database
from facesecure.storage.snapshots import Snapshots
from facesecure.storage.tables import SightingRow

_log = logging.getLogger(__name__)

_KINDS = {kind.value for kind in VerdictKind}
_AFTER_ANY_CHARACTER = "\U0010ffff"
_PAGE = 500
_LIST_HINT = "facesecure events list shows them"
_LATER = aliased(SightingRow)
_CORRECTION = (
    select(_LATER.identifier)
    .where(_LATER.supersedes == SightingRow.identifier)
    .order_by(_LATER.first_seen, _LATER.identifier)
    .limit(1)
    .correlate(SightingRow)
    .scalar_subquery()
)
"""The identifier of the sighting that supersedes one; made once, as that takes a millisecond."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A selection of sightings: begun from ``since`` until before ``until``, of a kind, of a name (in any case).

    Kind and name are as corrected, if they were. ``cameras`` are the names of those whose sightings are wanted; all, if
    there is none. ``latest_only`` leaves out sightings that a later one of the same track supersedes. ``subject`` is
    what was seen of an unidentified visit; ``reviewed`` whether somebody said that they have seen it.
    """

    since: datetime | None = None
    until: datetime | None = None
    kind: VerdictKind | None = None
    name: str | None = None
    latest_only: bool = False
    cameras: Sequence[str] = ()
    subject: Subject | None = None
    reviewed: bool | None = None


class FilterValues(TypedDict, total=False):
    """The fields of a ``Filter``, as keyword arguments."""

    since: datetime | None
    until: datetime | None
    kind: VerdictKind | None
    name: str | None
    latest_only: bool
    cameras: Sequence[str]
    subject: Subject | None
    reviewed: bool | None


def require_new(session: Session, identifier: str) -> None:
    """Raise StoreError if there is a sighting with that identifier."""
    if session.get(SightingRow, identifier) is not None:
        raise StoreError(f"sighting {identifier} is recorded already", "this is a bug; please report it")


def add(session: Session, sighting: Sighting, snapshot: str | None, size: int, at: datetime) -> None:
    """Insert ``sighting``, linked to the person it names.

    ``snapshot`` is a relative path, ``size`` its bytes; ``at`` is when it was recorded.
    """
    name = sighting.verdict.name
    person = people.find_or_none(session, name) if name is not None else None
    row = row_of(sighting, snapshot, size, at)
    row.person_id = person.id if person else None
    session.add(row)


def row_of(sighting: Sighting, snapshot: str | None, size: int, at: datetime) -> SightingRow:
    """Return the row of a new sighting, linked to no person."""
    verdict = sighting.verdict
    return SightingRow(
        identifier=sighting.identifier,
        kind=verdict.kind.value,
        why=verdict.why,
        name=verdict.name,
        name_key=None if verdict.name in (None, FORGOTTEN) else name_key(verdict.name),
        score=verdict.score,
        second_name=verdict.second_name,
        second_score=verdict.second_score,
        evidence=verdict.evidence,
        faces_used=verdict.faces_used,
        source=sighting.source,
        track=sighting.track,
        first_seen=sighting.first_seen,
        last_seen=sighting.last_seen,
        supersedes=sighting.supersedes,
        snapshot=snapshot,
        snapshot_bytes=size,
        box=_box_values(sighting.box) if snapshot else None,
        created_at=at,
        doubt=sighting.doubt or None,
        subject=sighting.subject,
        mode=sighting.mode,
    )


def require_known(session: Session, identifier: str) -> SightingRow:
    """Return the row with that identifier. Raises StoreError if there is none."""
    row = session.get(SightingRow, identifier)
    if row is None:
        raise StoreError(f"there is no sighting {identifier}", _LIST_HINT)
    return row


def update(session: Session, sighting: Sighting, snapshot: str | None, size: int) -> None:
    """Update the end of a sighting (never to an earlier time), its verdict's figures, and its snapshot if given."""
    row, verdict = require_known(session, sighting.identifier), sighting.verdict
    row.last_seen = max(row.last_seen, sighting.last_seen.astimezone(UTC))
    row.why, row.faces_used = verdict.why, verdict.faces_used
    row.score, row.evidence = verdict.score, verdict.evidence
    row.second_name, row.second_score = verdict.second_name, verdict.second_score
    row.doubt = sighting.doubt or row.doubt
    if snapshot:
        row.snapshot, row.snapshot_bytes, row.box = snapshot, size, _box_values(sighting.box)


def newest(session: Session, wanted: Filter, limit: int, snapshots: Snapshots) -> list[StoredSighting]:
    """Return at most ``limit`` sightings, newest first."""
    found = query(wanted).order_by(SightingRow.first_seen.desc(), SightingRow.identifier.desc()).limit(limit)
    return [stored(row, later, snapshots) for row, later in session.execute(found)]


def page(
    session: Session, wanted: Filter, after: tuple[datetime, str] | None, size: int, snapshots: Snapshots
) -> list[StoredSighting]:
    """Return the next ``size`` sightings after (first_seen, identifier), oldest first."""
    found = query(wanted).order_by(SightingRow.first_seen, SightingRow.identifier).limit(size)
    if after is not None:
        found = found.where(tuple_(SightingRow.first_seen, SightingRow.identifier) > tuple_(*after))
    return [stored(row, later, snapshots) for row, later in session.execute(found)]


def each(database: Database, wanted: Filter, snapshots: Snapshots) -> Iterator[StoredSighting]:
    """Yield all sightings, oldest first, page by page: no session stays open in between."""
    after = None
    while True:
        with database.read() as session:
            found = page(session, wanted, after, _PAGE, snapshots)
        yield from found
        if len(found) < _PAGE:
            return
        after = (found[-1].first_seen, found[-1].identifier)


def find(session: Session, prefix: str, snapshots: Snapshots) -> StoredSighting:
    """Return the sighting whose identifier is, or begins with, ``prefix``. Raises UsageError for none or several."""
    beginning = query(Filter()).where(
        SightingRow.identifier >= prefix, SightingRow.identifier < prefix + _AFTER_ANY_CHARACTER
    )
    found = list(session.execute(beginning.order_by(SightingRow.identifier).limit(2)))
    exact = [(row, later) for row, later in found if row.identifier == prefix]
    if not prefix or not found:
        raise UsageError(f"there is no sighting {prefix!r}", _LIST_HINT)
    if len(found) > 1 and not exact:
        raise UsageError(f"several sightings begin with {prefix!r}", f"use a longer prefix; {_LIST_HINT}")
    row, later = (exact or found)[0]
    return stored(row, later, snapshots)


def cameras(session: Session) -> list[str]:
    """Return the names of the cameras of all sightings."""
    return list(session.scalars(select(SightingRow.source).distinct().order_by(SightingRow.source)))


def stored(row: SightingRow, superseded_by: str | None, snapshots: Snapshots) -> StoredSighting:
    """Convert a row to a record; ``superseded_by`` is the identifier of the sighting that corrects it."""
    return StoredSighting(
        identifier=row.identifier,
        verdict=_verdict(row),
        source=row.source,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        created_at=row.created_at,
        track=row.track,
        supersedes=row.supersedes,
        superseded_by=superseded_by,
        snapshot=snapshots.path(row.snapshot) if row.snapshot else None,
        box=Box(*row.box) if row.box else None,
        visitor=row.visitor_id,
        correction=_correction(row),
        doubt=row.doubt or "",
        subject=_subject(row),
        mode=Mode(row.mode) if row.mode in tuple(Mode) else None,
    )


def query(wanted: Filter) -> Select[SightingRow, str]:
    """Return the query for rows that are ``wanted``, each with the identifier of the sighting that supersedes it."""
    conditions = list(_conditions(wanted))
    if wanted.latest_only:
        conditions.append(_CORRECTION.is_(None))
    return select(SightingRow, _CORRECTION).where(*conditions)


def _conditions(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    kind = func.coalesce(SightingRow.corrected_kind, SightingRow.kind)
    if wanted.since is not None:
        yield SightingRow.first_seen >= wanted.since
    if wanted.until is not None:
        yield SightingRow.first_seen < wanted.until
    if wanted.kind is not None:
        yield kind == VerdictKind(wanted.kind).value
    if wanted.cameras:
        yield SightingRow.source.in_(wanted.cameras)
    if wanted.subject is not None:
        yield and_(kind == VerdictKind.UNIDENTIFIED.value, SightingRow.subject == wanted.subject.value)
    if wanted.reviewed is not None:
        yield SightingRow.reviewed_at.is_not(None) if wanted.reviewed else SightingRow.reviewed_at.is_(None)
    if wanted.name is not None:
        named = case((SightingRow.corrected_kind.is_(None), SightingRow.name_key), else_=SightingRow.corrected_name_key)
        yield named == name_key(wanted.name)


def _box_values(box: Box | None) -> list[float] | None:
    return None if box is None else [float(value) for value in (box.left, box.top, box.right, box.bottom)]


def _correction(row: SightingRow) -> Correction | None:
    if row.corrected_kind is None or row.correction is None or row.corrected_at is None:
        return None
    if row.corrected_kind not in _KINDS:
        return None
    return Correction(VerdictKind(row.corrected_kind), row.corrected_name, row.correction, row.corrected_at)


def _subject(row: SightingRow) -> Subject | None:
    """Return what was seen; None also of another verdict, or where others wrote what there is not."""
    known = {subject.value: subject for subject in Subject}
    return known.get(row.subject) if row.subject is not None and row.kind == VerdictKind.UNIDENTIFIED else None


def _verdict(row: SightingRow) -> Verdict:
    """Return the verdict of a row; one that no sighting can have, which others wrote, identifies nobody."""
    try:
        return _verdict_of(row)
    except ValueError as error:
        _log.warning("sighting %s is damaged or was changed: %s", row.identifier, error)
        return Verdict(VerdictKind.UNIDENTIFIED, why=Why.DAMAGED.say())


def _verdict_of(row: SightingRow) -> Verdict:
    return Verdict(
        kind=VerdictKind(row.kind),
        why=row.why,
        name=row.name,
        score=row.score,
        second_name=row.second_name,
        second_score=row.second_score,
        evidence=row.evidence,
        faces_used=row.faces_used,
    )
