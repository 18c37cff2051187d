"""Whether something has spoken in time: if not, the log says so as loudly as it can."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from facesecure.alerts.delivery import Delivery
from facesecure.domain import Alert

SPEAK_WITHIN = 9.5
"""Seconds after an alert was made. Ten are promised; the log has to be read, too."""

log = logging.getLogger(__name__)


class SpokenInTime:
    """Watches the alerts that are for a plugin that speaks (one with ``speaks = True``), until one has."""

    def __init__(self, within: float = SPEAK_WITHIN) -> None:
        self._within = within
        self._due: dict[str, tuple[float, Alert]] = {}

    def watch(self, deliveries: Iterable[Delivery]) -> None:
        """Watch one alert, given as its deliveries."""
        for one in deliveries:
            if any(channel.speaks for channel in one.chain):
                self._due[one.alert.identifier] = (one.born + self._within, one.alert)

    def heard(self, alert: Alert) -> None:
        """Something says it now, or has said it."""
        self._due.pop(alert.identifier, None)

    def wake_at(self) -> float:
        return min((due for due, _ in self._due.values()), default=float("inf"))

    def tick(self, now: float, why: Callable[[Alert], str]) -> None:
        """Tell of what is overdue, once; ``why`` knows what went wrong with an alert."""
        for due, alert in [entry for entry in self._due.values() if now >= entry[0]]:
            del self._due[alert.identifier]
            message = "NOTHING HAS SPOKEN within %.1f s: %r (alert %s): %s"
            log.critical(message, now - due + self._within, alert.text, alert.identifier, why(alert))
