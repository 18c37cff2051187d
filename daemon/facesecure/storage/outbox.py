"""Store alerts and their deliveries: an alert is written before it is sent, so that a crash does not lose it.

An alert is JSON in one column (``domain.wire.alerts``). Each of its channels has a delivery beside it, which moves
from pending to a final state. A delivered delivery stays delivered.
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
from facesecure.domain.wire.alerts import StoredAlert
from facesecure.storage.database import Database
from facesecure.storage.tables import AlertRow, DeliveryRow

WRITE_TIMEOUT = 1.0
"""Seconds to wait for other writers: an alarm is rather sent without being stored than late."""
_OPEN = [state.value for state in DeliveryState if state.open]

_log = logging.getLogger(__name__)


class Outbox:
    """The durable queue of alerts. Each method is one transaction, on the disk when it returns.

    Any thread may call them; all raise StoreError.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, alert: Alert, planned: Sequence[PlannedDelivery]) -> bool:
        """Write ``alert`` and its deliveries. Return False, and change nothing, if the alert is there already."""
        row = {
            "identifier": alert.identifier,
            "kind": alert.kind.value,
            "created_at": alert.created_at,
            "document": StoredAlert.of(alert).as_json(),
        }
        with self._database.write(WRITE_TIMEOUT) as session:
            added = session.execute(insert(AlertRow).values(row).on_conflict_do_nothing()).rowcount  # type: ignore[attr-defined]
            if added:
                session.add_all(_delivery_row(alert, one) for one in planned)
        return bool(added)

    def mark(self, alert: str, channel: str, status: DeliveryStatus) -> None:
        """Set the status of a delivery. A late answer of an earlier attempt is ignored, unless it delivered."""
        with self._database.write(WRITE_TIMEOUT) as session:
            session.execute(_status_update(alert, channel, status))

    def pending(self) -> list[AlertWithDeliveries]:
        """Return the alerts with open deliveries, and only those deliveries, oldest first."""
        with self._database.read() as session:
            query = (
                select(AlertRow, DeliveryRow)
                .join(DeliveryRow, DeliveryRow.alert == AlertRow.identifier)
                .where(DeliveryRow.state.in_(_OPEN))
            )
            rows = session.execute(query.order_by(AlertRow.created_at, AlertRow.identifier, DeliveryRow.id)).all()
            return _grouped([(alert, delivery) for alert, delivery in rows])

    def history(
        self, limit: int = 50, since: datetime | None = None, channel: str | None = None
    ) -> list[AlertWithDeliveries]:
        """Return at most ``limit`` alerts, newest first, with all their deliveries, or those of ``channel``."""
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
            return _grouped([(alert, one if one and channel in (None, one.channel) else None) for alert, one in rows])

    def counts(self, since: datetime) -> dict[str, dict[DeliveryState, int]]:
        """Count deliveries by channel and state: the open ones, and those of alerts made at ``since`` or later."""
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
    """Remove at most ``batch`` alerts older than ``keep_days`` without open deliveries; return how many."""
    still_open = select(DeliveryRow.alert).where(DeliveryRow.state.in_(_OPEN), DeliveryRow.expires_at >= now)
    old = select(AlertRow.identifier).where(
        AlertRow.created_at < now - timedelta(days=keep_days), AlertRow.identifier.not_in(still_open)
    )
    found = list(session.scalars(old.limit(batch)))
    session.execute(delete(AlertRow).where(AlertRow.identifier.in_(found)))
    return len(found)


def reword(session: Session, name: str, other: str) -> None:
    """Replace ``name``, in any case, by ``other`` in every alert: when a person is renamed or removed."""
    whole_name = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)

    def reworded(values: dict[str, Any], *keys: str) -> dict[str, Any]:
        texts = {key: whole_name.sub(lambda _: other, values[key]) for key in keys if values[key]}
        return {**values, **texts}

    for row in session.scalars(select(AlertRow)):
        document = reworded(row.document, "text", "speech")
        if (seen := document["sighting"]) is not None:
            document["sighting"] = {**seen, "verdict": reworded(seen["verdict"], "name", "second_name", "why")}
        if document != row.document:
            row.document = document
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


def _status_update(alert: str, channel: str, status: DeliveryStatus) -> Any:
    delivered = DeliveryRow.state == DeliveryState.DELIVERED.value
    stale = DeliveryRow.attempts > status.attempts
    if status.state is DeliveryState.DELIVERED:
        stale = delivered
    values: dict[str, Any] = {
        "state": status.state.value,
        "by": status.by,
        "attempts": status.attempts,
        "changed_at": status.at,
    }
    kept = {key: case((stale, getattr(DeliveryRow, key)), else_=value) for key, value in values.items()}
    error = {"last_error": status.error} if status.error else {}
    mine = DeliveryRow.alert == alert, DeliveryRow.channel == channel
    return update(DeliveryRow).where(*mine, ~delivered).values(**kept, **error)


def _grouped(rows: Sequence[tuple[AlertRow, DeliveryRow | None]]) -> list[AlertWithDeliveries]:
    """Group rows by alert, in their order; an alert that cannot be read is logged and left out."""
    grouped: dict[str, tuple[AlertRow, list[StoredDelivery]]] = {}
    for alert, delivery in rows:
        _, deliveries = grouped.setdefault(alert.identifier, (alert, []))
        if delivery is not None:
            deliveries.append(_stored(delivery))
    alerts = []
    for row, deliveries in grouped.values():
        try:
            alerts.append(AlertWithDeliveries(StoredAlert.model_validate(row.document).alert(), tuple(deliveries)))
        except (ValueError, TypeError) as error:
            _log.error("alert %s cannot be read: %s", row.identifier, error)
    return alerts


def _stored(row: DeliveryRow) -> StoredDelivery:
    status = DeliveryStatus(DeliveryState(row.state), row.attempts, row.by, row.last_error, row.changed_at)
    return StoredDelivery(row.channel, row.expires_at, status)
