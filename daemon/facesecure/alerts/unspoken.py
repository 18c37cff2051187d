"""What was to be said aloud and was not, told through whatever else works."""

from __future__ import annotations

from collections.abc import Callable, Collection

from facesecure.alerts.delivery import DeliveryState
from facesecure.domain import Alert, AlertKind


class Unspoken:
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
