"""."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from facesecure.domain import Alert

if TYPE_CHECKING:
    pass


class DeliveryState(StrEnum):
    """How far a delivery came. The last three are ends; only a plugin that answers late leaves one of them."""

    PENDING = "pending"
    ATTEMPTING = "attempting"
    """A plugin was told to send it, and nobody knows yet whether it did. After a restart it is tried again."""
    DELIVERED = "delivered"
    EXPIRED = "expired"
    FAILED = "failed"
    """It will not be tried: no plugin of its chain is in use, or too many newer ones wait."""

    @property
    def open(self) -> bool:
        return self in (DeliveryState.PENDING, DeliveryState.ATTEMPTING)


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """A delivery to be written with its alert: the channel it is for, and when it is no longer worth making."""

    channel: str
    expires_at: datetime
    state: DeliveryState = DeliveryState.PENDING
    error: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """How a delivery stands. ``by`` is the plugin that tried or delivered; ``error`` why the last attempt failed."""

    state: DeliveryState
    attempts: int
    by: str = ""
    error: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery as it was written."""

    channel: str
    expires_at: datetime
    standing: DeliveryStatus


@dataclass(frozen=True, slots=True)
class AlertWithDeliveries:
    """An alert and what became of it on each channel."""

    alert: Alert
    deliveries: Sequence[StoredDelivery]


class Outbox(Protocol):
    """Where alerts wait on the disk (``store.outbox.Outbox``). What a method wrote is on the disk when it returns.

    Every method may raise StoreError, and may be called from any thread.
    """

    def write(self, alert: Alert, planned: Sequence[PlannedDelivery]) -> bool:
        """Write ``alert`` and its deliveries in one transaction. False if it is there already; then nothing changed."""

    def mark(self, alert: str, channel: str, standing: DeliveryStatus) -> None:
        """Say how the delivery of the alert with that identifier stands. One that was delivered stays delivered."""

    def pending(self) -> Sequence[AlertWithDeliveries]:
        """Alerts with deliveries that have not ended, and only those, oldest first."""
