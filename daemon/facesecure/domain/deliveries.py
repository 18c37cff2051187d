"""Alerts and their deliveries, and the interface of the outbox that stores both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from facesecure.domain import Alert

MQTT = "mqtt"
"""The channel of the MQTT broker, which gets every visit, whatever the rules decide on."""
ENTRY_DELAY = "entry_delay"
"""The channel on which an alert is stored that waits for the end of the entry delay; no plugin has this name."""
HOUSEHOLD = "household"
"""The channel on which an alert is stored that waits for the household's other doors; no plugin has this name."""
HELD = frozenset({ENTRY_DELAY, HOUSEHOLD})
"""The channels of alerts that wait: what is released is another alert, with deliveries of its own."""
UNHEARD = frozenset({"log", "journal", MQTT})
"""Channels that reach a file or a program, and nobody at once."""


class DeliveryState(StrEnum):
    """The state of a delivery.

    The last four are final, except that a plugin which answers late can still turn one into DELIVERED.
    """

    PENDING = "pending"
    ATTEMPTING = "attempting"
    """A plugin is sending it and has not answered yet. After a restart it is tried again."""
    DELIVERED = "delivered"
    EXPIRED = "expired"
    FAILED = "failed"
    """It will not be tried: no plugin of its fallback chain is enabled, or too many newer alerts are waiting."""
    WITHDRAWN = "withdrawn"
    """It was held back, and somebody disarmed before it was sent."""

    @property
    def open(self) -> bool:
        """Whether the delivery can still be attempted."""
        return self in (DeliveryState.PENDING, DeliveryState.ATTEMPTING)


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """A delivery to store with its alert: the channel it is for, and when it expires."""

    channel: str
    expires_at: datetime
    state: DeliveryState = DeliveryState.PENDING
    error: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """The status of a delivery.

    ``by`` is the plugin that made the last attempt; ``error`` says why that attempt failed.
    """

    state: DeliveryState
    attempts: int
    by: str = ""
    error: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery as read from the outbox."""

    channel: str
    expires_at: datetime
    status: DeliveryStatus


@dataclass(frozen=True, slots=True)
class AlertWithDeliveries:
    """An alert and its delivery on each channel."""

    alert: Alert
    deliveries: Sequence[StoredDelivery]


class Outbox(Protocol):
    """The durable queue of alerts (``storage.outbox.Outbox``).

    A write is on the disk when the method returns. Every method may raise StoreError; any thread may call it.
    """

    def write(self, alert: Alert, planned: Sequence[PlannedDelivery]) -> bool:
        """Write ``alert`` and its deliveries in one transaction; return False if it is there already."""

    def mark(self, alert: str, channel: str, status: DeliveryStatus) -> None:
        """Set the status of one delivery, by alert identifier and channel. A delivered one stays delivered."""

    def pending(self) -> Sequence[AlertWithDeliveries]:
        """Return the alerts with open deliveries, and only those deliveries, oldest first."""
