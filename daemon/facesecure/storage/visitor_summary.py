"""A visitor as they are listed: when and where they were seen, and the snapshot of the visit with the clearest face."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from facesecure.domain.records import Visitor
from facesecure.storage import elsewhere, routes, sighting_faces
from facesecure.storage.snapshots import Snapshots
from facesecure.storage.tables import MarkedFaceRow, SeenFaceRow, SightingRow, VisitorRow


def summary(session: Session, snapshots: Snapshots, row: VisitorRow) -> Visitor:
    """Return the visitor of a row."""
    clarity = sighting_faces.clarity_of(SeenFaceRow.quality)
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
        snapshots.path(snapshot) if snapshot else None,
        tuple(routes.latest(session, row)),
        tuple(elsewhere.of(session, row.id)),
    )
