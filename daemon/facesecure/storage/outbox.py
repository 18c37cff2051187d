"""Store alerts and their deliveries: an alert is written before it is sent, so that a crash does not lose it.

An alert is JSON in one column (``domain.wire.alerts``). Each of its channels has a delivery beside it, which moves
from pending to a final state. A delivered delivery stays delivered.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from facesecure.domain import Alert
from facesecure.domain.deliveries import (
    HELD,
    MQTT,
    AlertWithDeliveries,
    DeliveryState,
    DeliveryStatus,
    PlannedDelivery,
    StoredDelivery,
)
from facesecure.domain.wire.alerts import StoredAlert
from facesecure.storage import seals
from facesecure.storage.database import Database
from facesecure.storage.encryption import cipher_of
from facesecure.storage.outbox_writes import AddAlert, MarkDelivery, with_deferred
from facesecure.storage.snapshots import is_snapshot_path
from facesecure.storage.tables import AlertRow, DeliveryRow
from facesecure.storage.writes import Writer

WRITE_TIMEOUT = 1.0
"""Seconds to wait for other writers: an alarm is rather sent without being stored than late."""
_SNAPSHOT_PARTS = 5
_MOST_BETWEEN = 500
_STATES = {state.value for state in DeliveryState}
_OPEN = [state.value for state in DeliveryState if state.open]

_log = logging.getLogger(__name__)


class Outbox:
    """The durable queue of alerts. Each method is one transaction, on the disk when it returns.

    While the database is locked by another process, the daemon's ``writer`` keeps writes in its journal instead. Any
    thread may call the methods; all raise StoreError.
    """

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database, self._writer = database, writer
        self._deferred = set[str]()
        """Identifiers of alerts that may not be in the database yet."""

    def write(self, alert: Alert, planned: Sequence[PlannedDelivery]) -> bool:
        """Write ``alert`` and its deliveries. Return False, and change nothing, if the alert is there already."""
        write = AddAlert(alert, planned)
        if alert.identifier in self._deferred:
            return False
        if self._writer.do(write, WRITE_TIMEOUT):
            self._deferred.clear()
        else:
            self._deferred.add(alert.identifier)
        return write.added

    def mark(self, alert: str, channel: str, status: DeliveryStatus) -> None:
        """Set the status of a delivery. A late answer of an earlier attempt is ignored, unless it delivered."""
        self._writer.do(MarkDelivery(alert, channel, status), WRITE_TIMEOUT)

    def pending(self) -> list[AlertWithDeliveries]:
        """Return the alerts with open deliveries, and only those deliveries, oldest first; deferred ones too.

        An alert that was written or changed outside of facesecure is left out.
        """
        query = (
            select(AlertRow, DeliveryRow)
            .join(DeliveryRow, DeliveryRow.alert == AlertRow.identifier)
            .where(DeliveryRow.state.in_(_OPEN))
        )
        deferred = self._writer.deferred()
        added = [one.alert.identifier for one in deferred if isinstance(one, AddAlert)]
        with self._database.read() as session:
            rows = session.execute(query.order_by(AlertRow.created_at, AlertRow.identifier, DeliveryRow.id)).all()
            stored = _grouped([(alert, delivery) for alert, delivery in rows if _is_genuine(session, alert)])
            known = set(session.scalars(select(AlertRow.identifier).where(AlertRow.identifier.in_(added))))
        return with_deferred(stored, deferred, known)

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

    def between(self, since: datetime, until: datetime) -> list[AlertWithDeliveries]:
        """Return the alerts that were made between two times, oldest first, without their deliveries."""
        made = select(AlertRow).where(AlertRow.created_at.between(since, until))
        with self._database.read() as session:
            found = session.scalars(made.order_by(AlertRow.created_at, AlertRow.identifier).limit(_MOST_BETWEEN))
            return _grouped([(row, None) for row in found])

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
                if state not in _STATES:
                    continue
                counts.setdefault(channel, {})[DeliveryState(state)] = count
        return counts


def about(session: Session, sightings: Sequence[str]) -> dict[str, tuple[AlertWithDeliveries, ...]]:
    """Return the alerts about each of ``sightings`` with their deliveries, oldest first, by its identifier.

    Without those that only tell the MQTT broker: it is told of every visit, whether anybody is notified or not.
    One that waited and was sent is there once.
    """
    query = (
        select(AlertRow, DeliveryRow)
        .outerjoin(DeliveryRow, DeliveryRow.alert == AlertRow.identifier)
        .where(AlertRow.sighting.in_(sightings))
        .order_by(AlertRow.created_at, AlertRow.identifier, DeliveryRow.id)
    )
    found: dict[str, tuple[AlertWithDeliveries, ...]] = {}
    for one in _grouped([(alert, delivery) for alert, delivery in session.execute(query)]):
        if one.alert.channels == (MQTT,) or _was_held(one):
            continue
        if one.alert.sighting is not None and (seen := one.alert.sighting.identifier) in sightings:
            found[seen] = (*found.get(seen, ()), one)
    return found


def _was_held(one: AlertWithDeliveries) -> bool:
    """Return whether it waited, and was then sent under another identifier."""
    states = [each.status.state for each in one.deliveries if each.channel in HELD]
    return len(states) == len(one.deliveries) == 1 and states[0] is DeliveryState.DELIVERED


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

    cipher = cipher_of(session)
    session.execute(delete(AlertRow).where(func.typeof(AlertRow.identifier) != "text"))  # no alert of facesecure's
    for row in session.scalars(select(AlertRow)):
        try:
            document = reworded(row.document, "text", "speech")
            if (seen := document["sighting"]) is not None:
                document["sighting"] = {**seen, "verdict": reworded(seen["verdict"], "name", "second_name", "why")}
        except (KeyError, TypeError):  # no alert of facesecure's, and it may hold the name anywhere
            session.delete(row)
            continue
        if document != row.document:
            if seals.matches(seals.alert_seal(cipher, row.identifier, row.document), row.seal):
                row.seal = seals.alert_seal(cipher, row.identifier, document)
            row.document = document
    for delivery in session.scalars(select(DeliveryRow).where(DeliveryRow.last_error != "")):
        delivery.last_error = whole_name.sub(lambda _: other, delivery.last_error)
    session.flush()


def _is_genuine(session: Session, row: AlertRow) -> bool:
    """Return whether facesecure wrote the alert; log an error if others did."""
    genuine = seals.matches(seals.alert_seal(cipher_of(session), row.identifier, row.document), row.seal)
    if not genuine:
        _log.error("alert %s is not sent: it was written or changed outside of facesecure", row.identifier)
    return genuine


def _grouped(rows: Sequence[tuple[AlertRow, DeliveryRow | None]]) -> list[AlertWithDeliveries]:
    """Group rows by alert, in their order; an alert that cannot be read is logged and left out."""
    grouped: dict[str, tuple[AlertRow, list[StoredDelivery]]] = {}
    for alert, delivery in rows:
        _, deliveries = grouped.setdefault(alert.identifier, (alert, []))
        if delivery is not None and delivery.state in _STATES:
            deliveries.append(_stored(delivery))
    alerts = []
    for row, deliveries in grouped.values():
        try:
            alerts.append(AlertWithDeliveries(_alert(row.document), tuple(deliveries)))
        except (ValueError, TypeError) as error:
            _log.error("alert %s cannot be read: %s", row.identifier, error)
    return alerts


def _alert(document: dict[str, Any]) -> Alert:
    """Return the alert of a row; without its snapshot if that is none, for plugins send the file that it names."""
    alert = StoredAlert.model_validate(document).alert()
    if alert.snapshot_path is None or is_snapshot_path("/".join(alert.snapshot_path.parts[-_SNAPSHOT_PARTS:])):
        return alert
    _log.warning("an alert in the database names %r as its snapshot, which is ignored", str(alert.snapshot_path))
    return replace(alert, snapshot_path=None)


def _stored(row: DeliveryRow) -> StoredDelivery:
    status = DeliveryStatus(DeliveryState(row.state), row.attempts, row.by, row.last_error, row.changed_at)
    return StoredDelivery(row.channel, row.expires_at, status)
