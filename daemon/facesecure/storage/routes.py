"""The way of a visitor past the cameras: "gate, then front door" are the cameras of one stay, in order.

A stay is a chain of sightings of one visitor or one known person, each at most STAY after the one before. Nobody is
followed who cannot be recognised.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, aliased

from facesecure.domain import VerdictKind
from facesecure.domain.names import camera_key
from facesecure.storage import seals
from facesecure.storage.encryption import cipher_of
from facesecure.storage.tables import SightingRow, VisitorRow

STAY = timedelta(minutes=5)
"""Longest time between two sightings of one stay."""
_REACH = timedelta(hours=1)
_MAX_SIGHTINGS = 500


def around(session: Session, row: SightingRow) -> list[str]:
    """Return the cameras of the stay that the sighting ``row`` belongs to; its own alone if it is of nobody known."""
    stay = _chain(_sightings_near(session, row), row)
    cameras = [one.source for one in stay] or [row.source]
    keys = [camera_key(camera) for camera in cameras]
    return [camera for number, camera in enumerate(cameras) if number == 0 or keys[number] != keys[number - 1]]


def latest(session: Session, visitor: VisitorRow) -> list[str]:
    """Return the cameras of a visitor's latest stay; none if no sighting is left."""
    query = select(SightingRow).where(SightingRow.visitor_id == visitor.id)
    row = session.scalar(query.order_by(SightingRow.last_seen.desc(), SightingRow.identifier.desc()).limit(1))
    return [] if row is None else around(session, row)


def _sightings_near(session: Session, row: SightingRow) -> list[SightingRow]:
    """Return the sightings of the same person within an hour, in order, without those that others replaced."""
    same, later = _same_person(row), aliased(SightingRow)
    if same is None:
        return []
    query = select(SightingRow).where(
        same,
        SightingRow.first_seen.between(row.first_seen - _REACH, row.last_seen + _REACH),
        ~select(later.identifier).where(later.supersedes == SightingRow.identifier).exists(),
    )
    found = session.scalars(query.order_by(SightingRow.first_seen, SightingRow.identifier).limit(_MAX_SIGHTINGS))
    return [one for one in found if one.visitor_id is None or _is_sealed(session, one)]


def _same_person(row: SightingRow) -> ColumnElement[bool] | None:
    kind = row.corrected_kind or row.kind
    key = row.name_key if row.corrected_kind is None else row.corrected_name_key
    if kind == VerdictKind.KNOWN.value and key is not None:
        name = func.coalesce(SightingRow.corrected_name_key, SightingRow.name_key)
        return and_(func.coalesce(SightingRow.corrected_kind, SightingRow.kind) == kind, name == key)
    return None if row.visitor_id is None else SightingRow.visitor_id == row.visitor_id


def _is_sealed(session: Session, row: SightingRow) -> bool:
    seal = seals.visit_seal(cipher_of(session), row.identifier, row.visitor_id or 0)
    return seals.matches(seal, row.visitor_seal)


def _chain(near: Sequence[SightingRow], row: SightingRow) -> Sequence[SightingRow]:
    """Return the part of ``near`` without a longer pause that contains ``row``; nothing if it is not in it."""
    at = next((number for number, one in enumerate(near) if one.identifier == row.identifier), None)
    if at is None:
        return []
    first = last = at
    while first > 0 and near[first].first_seen - near[first - 1].last_seen <= STAY:
        first -= 1
    while last + 1 < len(near) and near[last + 1].first_seen - near[last].last_seen <= STAY:
        last += 1
    return near[first : last + 1]
