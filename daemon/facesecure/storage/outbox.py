"""Alerts and what became of them, on the disk: written before anything is sent, so that no end of ours loses one.

An alert is JSON in one column (``domain.stored_alert``). Each channel it is for has a delivery beside it, which moves
from pending to its end. A delivery that was made stays made.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from facesecure.domain import Alert
from facesecure.domain.deliveries import (
    AlertWithDeliveries,
    DeliveryState,
    DeliveryStatus,
    PlannedDelivery,
    StoredDelivery,
)
from facesecure.domain.stored_alert import StoredAlert
from facesecure.storage.database import Database
from facesecure.storage.tables import AlertRow, DeliveryRow

PATIENCE = 1.0
"""Seconds to wait for other writers: an alarm is told without being written rather than late."""
_OPEN = [state.value for state in DeliveryState if state.open]

log = logging.getLogger(__name__)


class Outbox:
    """Each method is one transaction, on the disk when it returns. Any thread may call; all raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, alert: Alert, planned: Sequence[PlannedDelivery]) -> bool:
        """Write ``alert`` and its deliveries. False if it is there already; then nothing changed."""
        row = {
            "identifier": alert.identifier,
            "kind": alert.kind.value,
            "created_at": alert.created_at,
            "document": StoredAlert.of(alert).as_json(),
        }
        with self._database.write(PATIENCE) as session:
            added = session.execute(insert(AlertRow).values(row).on_conflict_do_nothing()).rowcount  # type: ignore[attr-defined]
            if added:
                session.add_all(_delivery_row(alert, one) for one in planned)
        return bool(added)

    def mark(self, alert: str, channel: str, standing: DeliveryStatus) -> None:
        """Say how a delivery stands. What an earlier attempt says late changes no later one, unless it delivered."""
        with self._database.write(PATIENCE) as session:
            session.execute(_marking(alert, channel, standing))

    def pending(self) -> list[AlertWithDeliveries]:
        """Alerts with deliveries that have not ended, and only those, oldest first."""
        with self._database.read() as session:
            query = (
                select(AlertRow, DeliveryRow)
                .join(DeliveryRow, DeliveryRow.alert == AlertRow.identifier)
                .where(DeliveryRow.state.in_(_OPEN))
            )
            rows = session.execute(query.order_by(AlertRow.created_at, AlertRow.identifier, DeliveryRow.id)).all()
            return _told([(alert, delivery) for alert, delivery in rows])

    def history(
        self, limit: int = 50, since: datetime | None = None, channel: str | None = None
    ) -> list[AlertWithDeliveries]:
        """At most ``limit`` alerts, newest first, with all their deliveries, or those of ``channel``."""
        newest = select(AlertRow.identifier).order_by(AlertRow.created_at.desc(), AlertRow.identifier.desc())
        newest = newest if since is None else newest.where(AlertRow.created_at >= since)
        if channel is not None:
            mine = select(DeliveryRow.alert).where(DeliveryRow.channel == channel)
            newest = newest.where(AlertRow.identifier.in_(mine))
        query = (
            select(AlertRow, DeliveryRow)
            .outerjoin(DeliveryRow, DeliveryRow.alert == AlertRow.identifier)
            .where(AlertRow.identifier.in_(newest.limit(limit)))
            .order_by(AlertRow.created_at.desc(), AlertRow.identifier.desc(), DeliveryRow.id)
        )
        with self._database.read() as session:
            rows = [(alert, one) for alert, one in session.execute(query)]
            return _told([(alert, one if one and channel in (None, one.channel) else None) for alert, one in rows])

    def counts(self, since: datetime) -> dict[str, dict[DeliveryState, int]]:
        """For each channel: how many deliveries are open, and how many of the alerts since then ended in which way."""
        wanted = DeliveryRow.state.in_(_OPEN) | (AlertRow.created_at >= since)
        query = (
            select(DeliveryRow.channel, DeliveryRow.state, func.count(DeliveryRow.id))
            .join(AlertRow, AlertRow.identifier == DeliveryRow.alert)
            .where(wanted)
            .group_by(DeliveryRow.channel, DeliveryRow.state)
        )
        counts: dict[str, dict[DeliveryState, int]] = {}
        with self._database.read() as session:
            for channel, state, count in session.execute(query):
                counts.setdefault(channel, {})[DeliveryState(state)] = count
        return counts


def remove_old(session: Session, now: datetime, keep_days: float, batch: int) -> int:
    """Remove at most ``batch`` alerts older than that whose deliveries have all ended; returns how many."""
    still_open = select(DeliveryRow.alert).where(DeliveryRow.state.in_(_OPEN), DeliveryRow.expires_at >= now)
    old = select(AlertRow.identifier).where(
        AlertRow.created_at < now - timedelta(days=keep_days), AlertRow.identifier.not_in(still_open)
    )
    found = list(session.scalars(old.limit(batch)))
    session.execute(delete(AlertRow).where(AlertRow.identifier.in_(found)))
    return len(found)


def reword(session: Session, name: str, other: str) -> None:
    """Say ``other`` wherever an alert says ``name``, in any case: when somebody is renamed, or forgotten."""
    whole_name = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)

    def said(values: dict[str, Any], *keys: str) -> dict[str, Any]:
        texts = {key: whole_name.sub(lambda _: other, values[key]) for key in keys if values[key]}
        return {**values, **texts}

    for row in session.scalars(select(AlertRow)):
        told = said(row.document, "text", "speech")
        if (seen := told["sighting"]) is not None:
            told["sighting"] = {**seen, "verdict": said(seen["verdict"], "name", "second_name", "why")}
        if told != row.document:
            row.document = told
    for delivery in session.scalars(select(DeliveryRow).where(DeliveryRow.last_error != "")):
        delivery.last_error = whole_name.sub(lambda _: other, delivery.last_error)
    session.flush()


def _delivery_row(alert: Alert, planned: PlannedDelivery) -> DeliveryRow:
    return DeliveryRow(
        alert=alert.identifier,
        channel=planned.channel,
        expires_at=planned.expires_at,
        state=planned.state.value,
        attempts=0,
        by="",
        last_error=planned.error,
        changed_at=alert.created_at,
    )


def _marking(alert: str, channel: str, standing: DeliveryStatus) -> Any:
    delivered = DeliveryRow.state == DeliveryState.DELIVERED.value
    stale = DeliveryRow.attempts > standing.attempts
    if standing.state is DeliveryState.DELIVERED:
        stale = delivered
    values: dict[str, Any] = {
        "state": standing.state.value,
        "by": standing.by,
        "attempts": standing.attempts,
        "changed_at": standing.at,
    }
    kept = {key: case((stale, getattr(DeliveryRow, key)), else_=value) for key, value in values.items()}
    error = {"last_error": standing.error} if standing.error else {}
    mine = DeliveryRow.alert == alert, DeliveryRow.channel == channel
    return update(DeliveryRow).where(*mine, ~delivered).values(**kept, **error)


def _told(rows: Sequence[tuple[AlertRow, DeliveryRow | None]]) -> list[AlertWithDeliveries]:
    """Rows put together by alert, in their order; an alert that cannot be read is told of and left out."""
    grouped: dict[str, tuple[AlertRow, list[StoredDelivery]]] = {}
    for alert, delivery in rows:
        _, deliveries = grouped.setdefault(alert.identifier, (alert, []))
        if delivery is not None:
            deliveries.append(_stored(delivery))
    told = []
    for row, deliveries in grouped.values():
        try:
            told.append(AlertWithDeliveries(StoredAlert.model_validate(row.document).alert(), tuple(deliveries)))
        except (ValueError, TypeError) as error:
            log.error("alert %s cannot be read: %s", row.identifier, error)
    return told


def _stored(row: DeliveryRow) -> StoredDelivery:
    standing = DeliveryStatus(DeliveryState(row.state), row.attempts, row.by, row.last_error, row.changed_at)
    return StoredDelivery(row.channel, row.expires_at, standing)
