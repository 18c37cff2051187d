"""Write what somebody said about sightings beside their verdicts, inside the session that is given."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, literal, update
from sqlalchemy.orm import Session

from facesecure.domain import VerdictKind
from facesecure.storage.columns import UtcDateTime
from facesecure.storage.tables import PersonRow, SightingRow


def write(
    session: Session, which: ColumnElement[bool], kind: VerdictKind, person: PersonRow | None, words: str
) -> None:
    """Store a correction beside the verdict of sightings; ``person`` is given exactly for KNOWN.

    Whoever corrects a sighting has reviewed it.
    """
    now = datetime.now(UTC)
    session.execute(
        update(SightingRow)
        .where(which)
        .values(
            corrected_kind=kind.value,
            corrected_name=person.name if person else None,
            corrected_name_key=person.name_key if person else None,
            corrected_person_id=person.id if person else None,
            correction=words,
            corrected_at=now,
            reviewed_at=func.coalesce(SightingRow.reviewed_at, literal(now, UtcDateTime)),
        )
    )
