"""The alerts due for a camera in trouble: each trouble at once, the recovery only once it has lasted.

A camera with a loose connection would otherwise cause alerts all night. After an alert that the camera works, the next
trouble is always reported.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

BACK = "back"
_RECENT = 3600.0
"""Seconds within which troubles count as flapping."""


@dataclass(frozen=True, slots=True)
class CameraState:
    """The camera's last notified and present state. Times are steady seconds.

    ``last_notified`` is the trouble that was notified last and whose end was not; ``troubles`` were notified recently,
    with their times. ``silenced`` means that the last alert reached hardly anyone, as the household was disarmed;
    ``held`` counts the alerts suppressed since.
    """

    last_notified: str = ""
    works_since: float | None = None
    troubles: tuple[tuple[str, float], ...] = ()
    silenced: bool = False
    held: int = 0

    def on_trouble(self, trouble: str, now: float, cooldown: float) -> tuple[CameraState, bool]:
        """Return the state after ``trouble`` began, and whether to notify it."""
        repeated = any(other == trouble and 0 <= now - at < cooldown for other, at in self.troubles)
        if self.last_notified and repeated:
            return replace(self, works_since=None, held=self.held + 1), False
        troubles = (*((other, at) for other, at in self.troubles if now - at < _RECENT), (trouble, now))
        return CameraState(trouble, None, troubles, held=self.held), True

    def on_recovery(self, now: float) -> CameraState:
        """Return the state after the camera was seen to work again."""
        if not self.last_notified or self.works_since is not None:
            return self
        return replace(self, works_since=now)

    def recovery_due(self, now: float, settle: float, cooldown: float) -> bool:
        """Return whether the recovery has lasted: ``settle`` seconds, twice that after a second recent trouble, ..."""
        if self.works_since is None:
            return False
        recent = sum(now - at < _RECENT for _, at in self.troubles)
        wait = min(settle * 2.0 ** max(0, recent - 1), max(settle, cooldown))
        return bool(now - self.works_since >= wait)

    def recovery_notified(self) -> CameraState:
        """Return the state after the recovery was notified."""
        return CameraState(troubles=self.troubles)

    @property
    def unreported(self) -> bool:
        """True if it is in trouble and the alert about that reached hardly anyone."""
        return bool(self.last_notified) and self.silenced and self.works_since is None
