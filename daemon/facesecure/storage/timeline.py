"""The timeline: a page of sightings with all that is shown of them, in as many queries as a page of one has."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Row, Tuple, exists, func, literal, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from facesecure.domain.errors import UsageError
from facesecure.domain.records import StoredSighting
from facesecure.domain.timeline import Place, TimelineVisit
from facesecure.storage import outbox, sightings
from facesecure.storage.columns import UtcDateTime
from facesecure.storage.database import Database
from facesecure.storage.sightings import Filter
from facesecure.storage.snapshots import Snapshots
from facesecure.storage.tables import SightingRow, VisitorRow

_log = logging.getLogger(__name__)

WRITE_TIMEOUT = 2.0
"""Seconds to wait for other writers: somebody waits for the page."""


class Timeline:
    """Reads pages of sightings, newest first, and notes which were reviewed. Each method is one transaction.

    Example::

        page = store.timeline.page(Filter(latest_only=True), None, 30)
        older = store.timeline.page(Filter(latest_only=True), page[-1].place, 30)
    """

    def __init__(self, database: Database, snapshots: Snapshots) -> None:
        self._database, self._snapshots = database, snapshots

    def page(self, wanted: Filter, before: Place | None, size: int) -> list[TimelineVisit]:
        """Return the next ``size`` visits that are older than ``before``, newest first; None: the newest."""
        found = sightings.query(wanted).order_by(SightingRow.first_seen.desc(), SightingRow.identifier.desc())
        if before is not None:
            found = found.where(tuple_(SightingRow.first_seen, SightingRow.identifier) < _place(before))
        with self._database.read() as session:
            return self._visits(session, session.execute(found.limit(size)).all())

    def find(self, identifier: str) -> TimelineVisit:
        """Return one visit by its whole identifier. Raises UsageError if there is none."""
        with self._database.read() as session:
            rows = session.execute(sightings.query(Filter()).where(SightingRow.identifier == identifier)).all()
            if not rows:
                raise UsageError(*_unknown(identifier))
            return self._visits(session, rows)[0]

    def sighting(self, identifier: str) -> StoredSighting:
        """Return one sighting by its whole identifier, alone. Raises UsageError if there is none."""
        with self._database.read() as session:
            row = session.get(SightingRow, identifier)
            if row is None:
                raise UsageError(*_unknown(identifier))
            return sightings.stored(row, None, self._snapshots)

    def snapshot(self, sighting: StoredSighting) -> bytes | None:
        """Return the JPEG that is the snapshot of a sighting; None if there is none that facesecure wrote."""
        if sighting.snapshot is None:
            return None
        try:
            return self._snapshots.read(sighting.snapshot)
        except OSError as error:
            _log.warning("the snapshot of sighting %s is not shown: %s", sighting.identifier, error)
            return None

    def to_review(self) -> int:
        """Count the visits that nobody has reviewed, without those that a later sighting supersedes."""
        later = aliased(SightingRow)
        superseded = exists().where(later.supersedes == SightingRow.identifier)
        count = select(func.count(SightingRow.identifier)).where(SightingRow.reviewed_at.is_(None), ~superseded)
        with self._database.read() as session:
            return session.scalar(count) or 0

    def review(self, identifier: str, *, reviewed: bool = True) -> None:
        """Note that a visit was reviewed just now, or that it was not. Raises UsageError if there is none."""
        values = update(SightingRow).where(SightingRow.identifier == identifier)
        now = datetime.now(UTC)
        kept = func.coalesce(SightingRow.reviewed_at, literal(now, UtcDateTime))
        with self._database.write(WRITE_TIMEOUT) as session:
            changed = session.execute(values.values(reviewed_at=kept if reviewed else None))
            if not changed.rowcount:  # type: ignore[attr-defined]
                raise UsageError(*_unknown(identifier))

    def review_until(self, newest: Place) -> int:
        """Note that every visit up to ``newest`` was reviewed, where that was not noted; return how many.

        What came after it was not on the page that somebody looked at.
        """
        seen = tuple_(SightingRow.first_seen, SightingRow.identifier) <= _place(newest)
        mark = update(SightingRow).where(SightingRow.reviewed_at.is_(None), seen)
        with self._database.write(WRITE_TIMEOUT) as session:
            changed = session.execute(mark.values(reviewed_at=datetime.now(UTC)))
            return int(changed.rowcount)  # type: ignore[attr-defined]

    def _visits(self, session: Session, rows: Sequence[Row[SightingRow, str]]) -> list[TimelineVisit]:
        counts = _counts(session, [row for row, _ in rows])
        alerts = outbox.about(session, [row.identifier for row, _ in rows])
        return [
            TimelineVisit(
                sightings.stored(row, later, self._snapshots),
                row.reviewed_at,
                counts.get(row.identifier),
                alerts.get(row.identifier, ()),
            )
            for row, later in rows
        ]


def _unknown(identifier: str) -> tuple[str, str]:
    return f"there is no sighting {identifier!r}", "facesecure events list shows them"


def _place(place: Place) -> Tuple:
    """Return ``place`` as SQLite compares it."""
    when, identifier = place
    return tuple_(literal(when, UtcDateTime), literal(identifier))


def _counts(session: Session, rows: Sequence[SightingRow]) -> dict[str, int]:
    """Return the how-manieth visit of its visitor each of ``rows`` is, by identifier.

    It is counted from the latest visit: retention has removed early ones, which the visitor's number still counts.
    """
    visitors = {row.visitor_id for row in rows if row.visitor_id is not None}
    if not visitors:
        return {}
    later = func.row_number().over(
        partition_by=SightingRow.visitor_id, order_by=(SightingRow.first_seen.desc(), SightingRow.identifier.desc())
    )
    ranked = (
        select(SightingRow.identifier, (VisitorRow.visits - later + 1).label("count"))
        .join(VisitorRow, VisitorRow.id == SightingRow.visitor_id)
        .where(SightingRow.visitor_id.in_(visitors))
        .subquery()
    )
    wanted = select(ranked).where(ranked.c.identifier.in_([row.identifier for row in rows]))
    return {identifier: max(1, count) for identifier, count in session.execute(wanted)}
