"""No picture comes: noticed by the clock, because there is no frame to notice it by."""

from __future__ import annotations

from facesecure.domain.camera_events import Change

STEADY = 5.0
"""Seconds for which pictures must come again before it counts as back."""
FRESH = 2.0
"""Seconds between two pictures that are no gap; or half of what counts as offline, where that is more."""


class CameraOffline:
    """Ask it every second; says when there has been no picture for ``seconds``, and when they come again."""

    def __init__(self, seconds: float, began: float) -> None:
        """``began``: when pictures were first waited for, on the clock of all other times."""
        self._seconds = seconds
        self._last = began
        self._gone = began
        self._since: float | None = None
        self._offline = False

    def looks(self, last: float | None, trouble: str | None, at: float) -> Change | None:
        """``last``: when the last picture came, None before the first; ``trouble``: what the source says is wrong."""
        came, self._last = last is not None and last > self._last, max(self._last, last or self._last)
        if not self._offline:
            return self._missed(trouble, at)
        if at - self._last > max(FRESH, self._seconds / 2):
            self._since = None
        elif self._since is None and came:
            self._since = at
        if self._since is None or self._last - self._since < min(STEADY, self._seconds):
            return None
        self._offline = False
        return Change(True, f"pictures come again after {duration(self._since - self._gone)} without")

    def _missed(self, trouble: str | None, at: float) -> Change | None:
        if at - self._last < self._seconds:
            return None
        self._offline, self._since, self._gone = True, None, self._last
        return Change(False, trouble or f"no picture has come for {duration(at - self._last)}")


def duration(seconds: float) -> str:
    """In short: 40 s, 12 min or 3 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
