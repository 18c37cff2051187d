"""The deadline for spoken alerts: an alert that no plugin has spoken in time is reported in the log, loudly."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from facesecure.alerts.delivery.delivery import Delivery
from facesecure.domain import Alert, AlertKind
from facesecure.domain.deliveries import DeliveryState

SPEAK_WITHIN = 9.5
"""Seconds after an alert was created. Ten are promised; the log has to be read, too."""

log = logging.getLogger(__name__)


@dataclass
class _Watched:
    alert: Alert
    due: float
    playing: bool = False


class AnnouncementDeadline:
    """Watch the alerts that go to a plugin with ``speaks = True`` until one has spoken them.

    Example::

        deadline = AnnouncementDeadline(within=9.5)
        deadline.watch([delivery])
        deadline.tick(time.monotonic(), lambda alert: "kitchen: no answer")  # logs it if it is overdue
    """

    def __init__(self, within: float = SPEAK_WITHIN) -> None:
        """``within``: seconds after an alert's creation in which it has to be spoken."""
        self._within = within
        self._watched: dict[str, _Watched] = {}

    def watch(self, deliveries: Iterable[Delivery]) -> None:
        """Watch those of ``deliveries`` that a plugin of their chain speaks."""
        for one in deliveries:
            if one.spoken:
                self._watched[one.alert.identifier] = _Watched(one.alert, one.born + self._within)

    def playing(self, alert: Alert) -> None:
        """Suspend the deadline: a plugin plays ``alert`` now."""
        if watched := self._watched.get(alert.identifier):
            watched.playing = True

    def interrupted(self, alert: Alert) -> None:
        """Restore the deadline: the plugin that played ``alert`` has failed."""
        if watched := self._watched.get(alert.identifier):
            watched.playing = False

    def spoken(self, alert: Alert) -> None:
        """Stop watching ``alert``: it was spoken to its end."""
        self._watched.pop(alert.identifier, None)

    def wake_at(self) -> float:
        """Return when ``tick`` is due, monotonic; infinity if nothing is watched."""
        return min((one.due for one in self._watched.values() if not one.playing), default=float("inf"))

    def tick(self, now: float, why: Callable[[Alert], str]) -> None:
        """Log each overdue alert once; ``why`` returns the reason for one."""
        for one in [one for one in self._watched.values() if now >= one.due and not one.playing]:
            del self._watched[one.alert.identifier]
            message = "NOTHING HAS SPOKEN within %.1f s: %r (alert %s): %s"
            log.critical(message, now - one.due + self._within, one.alert.text, one.alert.identifier, why(one.alert))


class MissedAnnouncementAlert:
    """Follow the dispatcher's steps, and report an alert that expired before a plugin had spoken it.

    Alerts about facesecure itself are not reported, which would never end, nor are drills, which have their own
    report. Example::

        steps.follow(MissedAnnouncementAlert({"speaker"}, partial(system_alerts.of_service, "undelivered")).step)
    """

    def __init__(self, aloud: Collection[str], report: Callable[[str], object]) -> None:
        """``aloud``: the names of the plugins that speak. ``report`` is called with a sentence for each alert."""
        self._aloud, self._report = aloud, report

    def step(self, alert: Alert, channel: str, step: str) -> None:
        """Handle one step of ``alert``, as a follower of ``ProgressFanOut``."""
        if step != DeliveryState.EXPIRED or channel not in self._aloud:
            return
        if alert.kind is AlertKind.SERVICE or (alert.sighting is not None and alert.sighting.staged):
            return
        self._report(f"{alert.text!r} was not said by {channel}")
