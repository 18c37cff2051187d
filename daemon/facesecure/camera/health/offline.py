"""Detect that no frames come, by the clock, since there is no frame to detect it in."""

from __future__ import annotations

from facesecure.domain.camera_events import Change

STEADY = 5.0
"""Seconds for which frames must come again until the camera counts as back."""
FRESH = 2.0
"""Seconds between two frames that are no gap; or half of what counts as offline, where that is more."""


class CameraOffline:
    """Detects that no frame has come for ``seconds``, and when they come again.

    Example::

        change = CameraOffline(20.0, began=time.monotonic()).update(last_frame, None, time.monotonic())
    """

    def __init__(self, seconds: float, began: float) -> None:
        """``seconds`` without a frame until it is reported; ``began``: when the wait for the first frame began."""
        self._seconds = seconds
        self._last = began
        self._gone = began
        self._since: float | None = None
        self._offline = False

    def update(self, last: float | None, trouble: str | None, at: float) -> Change | None:
        """Return the beginning or end of the trouble, if this is it. Call it every second.

        ``last``: when the last frame came, None before the first; ``trouble``: the source's own error, if it has one;
        ``at``: now, on the same clock.
        """
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
    """Return ``seconds`` in short: 40 s, 12 min or 3 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
