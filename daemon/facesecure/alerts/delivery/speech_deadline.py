"""Whether something has spoken in time: if not, the log says so as loudly as it can."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from facesecure.alerts.delivery.delivery import Delivery
from facesecure.domain import Alert, AlertKind
from facesecure.domain.deliveries import DeliveryState

SPEAK_WITHIN = 9.5
"""Seconds after an alert was made. Ten are promised; the log has to be read, too."""

log = logging.getLogger(__name__)


@dataclass
class _Watched:
    alert: Alert
    due: float
    playing: bool = False


class AnnouncementDeadline:
    """Watches the alerts that are for a plugin that speaks (one with ``speaks = True``), until one has."""

    def __init__(self, within: float = SPEAK_WITHIN) -> None:
        self._within = within
        self._watched: dict[str, _Watched] = {}

    def watch(self, deliveries: Iterable[Delivery]) -> None:
        for one in deliveries:
            if any(channel.speaks for channel in one.chain):
                self._watched[one.alert.identifier] = _Watched(one.alert, one.born + self._within)

    def playing(self, alert: Alert) -> None:
        """Something says it now."""
        if watched := self._watched.get(alert.identifier):
            watched.playing = True

    def broken_off(self, alert: Alert) -> None:
        """What said it has failed."""
        if watched := self._watched.get(alert.identifier):
            watched.playing = False

    def spoken(self, alert: Alert) -> None:
        """Something has said it."""
        self._watched.pop(alert.identifier, None)

    def wake_at(self) -> float:
        return min((one.due for one in self._watched.values() if not one.playing), default=float("inf"))

    def tick(self, now: float, why: Callable[[Alert], str]) -> None:
        """Tell of what is overdue, once; ``why`` knows what went wrong with an alert."""
        for one in [one for one in self._watched.values() if now >= one.due and not one.playing]:
            del self._watched[one.alert.identifier]
            message = "NOTHING HAS SPOKEN within %.1f s: %r (alert %s): %s"
            log.critical(message, now - one.due + self._within, one.alert.text, one.alert.identifier, why(one.alert))


class MissedAnnouncementAlert:
    """Listens to the dispatcher, and tells of an alert that expired before a plugin that speaks had said it.

    Not of what is said of facesecure itself, or this would never end; and a drill has its own report.
    """

    def __init__(self, aloud: Collection[str], tell: Callable[[str], object]) -> None:
        """``aloud``: the plugins that speak, by name. ``tell`` is given what was not said, in words."""
        self._aloud, self._tell = aloud, tell

    def step(self, alert: Alert, channel: str, what: str) -> None:
        """The dispatcher says how far ``alert`` has come."""
        if what != DeliveryState.EXPIRED or channel not in self._aloud:
            return
        if alert.kind is AlertKind.SERVICE or (alert.sighting is not None and alert.sighting.staged):
            return
        self._tell(f"{alert.text!r} was not said by {channel}")
