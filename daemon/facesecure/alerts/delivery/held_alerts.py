"""Alerts that wait: on the disk before they do, so that kill -9 loses none of them.

Such an alert is written to the outbox with a delivery on a channel that no plugin has, such as ``ENTRY_DELAY``. When
it is sent, it goes through the outbox as any other does, under an identifier that follows from its own: one that was
sent before a crash is not sent again after it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from facesecure.alerts.delivery.durable_outbox import DurableOutbox, WriteResult
from facesecure.domain import Alert
from facesecure.domain.deliveries import ENTRY_DELAY, DeliveryState, DeliveryStatus, Outbox, PlannedDelivery
from facesecure.domain.interfaces import AlertSink

_SENT = uuid.UUID("6f9a2ad2-6a5a-4c4e-9d4e-2f1d2b2a7c11")
"""The namespace of the identifiers under which held alerts are sent."""


@dataclass(frozen=True, slots=True)
class LeftOver:
    """An alert that waited when facesecure was ended, and when it was due (wall clock, aware)."""

    alert: Alert
    due: datetime


class HeldAlerts:
    """Holds alerts, and sends or withdraws them later. The caller allows one call at a time.

    Example::

        held = HeldAlerts(store.outbox, dispatcher)
        held.hold(alert, seconds=30.0)
        held.release(alert)
    """

    def __init__(self, outbox: Outbox | None, sink: AlertSink, channel: str = ENTRY_DELAY) -> None:
        """``sink``: where released alerts go. ``channel``: what they wait for, one of ``HELD``.

        Without an ``outbox``, alerts are held in memory only.
        """
        self._outbox, self._sink, self._channel = DurableOutbox(outbox), sink, channel

    def hold(self, alert: Alert, seconds: float) -> bool:
        """Write ``alert`` as one that is due in ``seconds``. Return False if it is not on the disk."""
        planned = PlannedDelivery(self._channel, datetime.now(UTC) + timedelta(seconds=seconds))
        return self._outbox.write(alert, [planned]) is not WriteResult.OWED

    def release(self, alert: Alert, created_at: datetime | None = None) -> None:
        """Send ``alert``, as if it had been made now, or at ``created_at``."""
        sent_at = created_at or datetime.now(UTC)
        self._sink.send(replace(alert, identifier=self.sent_as(alert), created_at=sent_at))
        self._mark(alert, DeliveryState.DELIVERED)

    @staticmethod
    def sent_as(alert: Alert) -> str:
        """Return the identifier under which ``alert`` is sent."""
        return uuid.uuid5(_SENT, alert.identifier).hex

    def withdraw(self, alert: Alert, why: str) -> None:
        """Give ``alert`` up without sending it."""
        self._mark(alert, DeliveryState.WITHDRAWN, why)

    def left_over(self) -> list[LeftOver]:
        """Return what an earlier run held and neither sent nor withdrew."""
        return [
            LeftOver(one.alert, stored.expires_at)
            for one in self._outbox.pending()
            for stored in one.deliveries
            if stored.channel == self._channel
        ]

    def retry_writes(self) -> None:
        """Repeat writes that failed, if it is time for that."""
        self._outbox.retry_pending()

    def _mark(self, alert: Alert, state: DeliveryState, why: str = "") -> None:
        self._outbox.mark(alert, self._channel, DeliveryStatus(state, 1, error=why))
