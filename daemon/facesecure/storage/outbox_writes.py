"""The writes of the outbox as values: an alert with its deliveries, and the status of one delivery."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import case, update
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
from facesecure.storage import seals
from facesecure.storage.encryption import cipher_of
from facesecure.storage.forgotten import Forgotten
from facesecure.storage.tables import AlertRow, DeliveryRow
from facesecure.storage.writes import Write


@dataclass(slots=True)
class AddAlert:
    """Insert an alert and its deliveries; ``added`` is False if it was there already, and then nothing changes."""

    beside: ClassVar[bool] = False
    alert: Alert
    planned: Sequence[PlannedDelivery]
    added: bool = True

    def apply(self, session: Session, *, deferred: bool) -> None:  # noqa: ARG002 - a second time changes nothing
        """Insert them."""
        document = self._allowed(session)
        row = {
            "identifier": self.alert.identifier,
            "kind": self.alert.kind.value,
            "created_at": self.alert.created_at,
            "document": document,
            "seal": seals.alert_seal(cipher_of(session), self.alert.identifier, document),
            "sighting": self.alert.sighting.identifier if self.alert.sighting else None,
        }
        result = session.execute(insert(AlertRow).values(row).on_conflict_do_nothing())
        self.added = bool(result.rowcount)  # type: ignore[attr-defined]
        if self.added:
            session.add_all(_delivery_row(self.alert, one) for one in self.planned)
            session.flush()

    def _allowed(self, session: Session) -> dict[str, Any]:
        """Return the alert as JSON, without what was removed since it was made."""
        removed, alert = Forgotten.of(session), self.alert
        if not removed:
            return StoredAlert.of(alert).as_json()
        if alert.sighting is not None and removed.is_removed(alert.sighting):
            alert = replace(alert, snapshot_path=None)
        document: dict[str, Any] = removed.document(StoredAlert.of(alert).as_json(), alert.created_at)
        return document

    def document(self) -> dict[str, Any]:
        """Return the write as JSON."""
        planned = [{**asdict(one), "expires_at": one.expires_at.isoformat()} for one in self.planned]
        return {"alert": StoredAlert.of(self.alert).as_json(), "planned": planned}

    @classmethod
    def fields_of(cls, document: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of the write that ``document`` was made of. Raises ValueError or KeyError."""
        planned = [
            PlannedDelivery(
                one["channel"], datetime.fromisoformat(one["expires_at"]), DeliveryState(one["state"]), one["error"]
            )
            for one in document["planned"]
        ]
        return {"alert": StoredAlert.model_validate(document["alert"]).alert(), "planned": planned}


@dataclass(frozen=True, slots=True)
class MarkDelivery:
    """Set the status of a delivery. A late answer of an earlier attempt is ignored, unless it delivered."""

    beside: ClassVar[bool] = False
    alert: str
    channel: str
    status: DeliveryStatus

    def apply(self, session: Session, *, deferred: bool) -> None:  # noqa: ARG002 - a second time changes nothing
        """Set it; a delivered delivery stays delivered."""
        removed, status = Forgotten.of(session), self.status
        if removed and status.error:
            status = replace(status, error=removed.text(status.error, status.at))
        session.execute(_status_update(self.alert, self.channel, status))

    def document(self) -> dict[str, Any]:
        """Return the write as JSON."""
        status = {**asdict(self.status), "at": self.status.at.isoformat()}
        return {"alert": self.alert, "channel": self.channel, "status": status}

    @classmethod
    def fields_of(cls, document: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of the write that ``document`` was made of. Raises ValueError or KeyError."""
        found = document["status"]
        at, state = datetime.fromisoformat(found["at"]), DeliveryState(found["state"])
        status = DeliveryStatus(state, found["attempts"], found["by"], found["error"], at)
        return {"alert": document["alert"], "channel": document["channel"], "status": status}


def with_deferred(
    stored: Sequence[AlertWithDeliveries], deferred: Sequence[Write], known: Collection[str]
) -> list[AlertWithDeliveries]:
    """Return what is open once the ``deferred`` writes are made, given what ``stored`` says is open now.

    ``known``: the identifiers of deferred alerts that are in the database already.
    """
    alerts = {one.alert.identifier: one.alert for one in stored}
    open_ones = {(one.alert.identifier, delivery.channel): delivery for one in stored for delivery in one.deliveries}
    for write in deferred:
        if isinstance(write, AddAlert) and write.alert.identifier not in known:
            alerts[write.alert.identifier] = write.alert
            open_ones |= {(write.alert.identifier, one.channel): _planned(write.alert, one) for one in write.planned}
        elif isinstance(write, MarkDelivery) and (write.alert, write.channel) in open_ones:
            delivery = open_ones[write.alert, write.channel]
            open_ones[write.alert, write.channel] = replace(delivery, status=write.status)
    found = []
    for identifier, alert in alerts.items():
        mine = [one for (of, _), one in open_ones.items() if of == identifier and one.status.state.open]
        found += [AlertWithDeliveries(alert, tuple(mine))] if mine else []
    return found


def _planned(alert: Alert, planned: PlannedDelivery) -> StoredDelivery:
    status = DeliveryStatus(planned.state, 0, error=planned.error, at=alert.created_at)
    return StoredDelivery(planned.channel, planned.expires_at, status)


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
