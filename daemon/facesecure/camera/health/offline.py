"""Detect that no frames come, or only in pieces, by the clock, since there is no frame to detect it in."""

from __future__ import annotations

from facesecure.camera.sources.outages import Outage
from facesecure.domain.camera_events import Change

STEADY = 5.0
"""Seconds for which frames must come again until the camera counts as back."""
FRESH = 2.0
"""Seconds between two frames that are no gap; or half of what counts as offline, where that is more."""


class CameraOffline:
    """Detects that no frame has come for ``seconds``, or that the stream has dropped again and again for so long.

    It is back when frames have come for a while without a loss, and, where the stream dropped again and again, the
    source's outage is over: a camera that drops every few seconds is one trouble, and not one with each loss.

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
        self._dropped = False
        self._losses = 0

    def update(self, last: float | None, trouble: str | None, at: float, outage: Outage | None = None) -> Change | None:
        """Return the beginning or end of the trouble, if this is it. Call it every second.

        ``last``: when the last frame came, None before the first; ``trouble``: the source's own error, if it has one;
        ``at``: now, on the same clock; ``outage``: the source's, while it is not over.
        """
        came, self._last = last is not None and last > self._last, max(self._last, last or self._last)
        losses, self._losses = self._losses, outage.losses if outage else 0
        if not self._offline:
            return self._missed(trouble, at) or self._dropping(outage, at)
        if at - self._last > max(FRESH, self._seconds / 2) or self._losses > losses:
            self._since = None
        elif self._since is None and came:
            self._since = at
        if (
            (outage is not None and outage.dropping)
            or self._since is None
            or self._last - self._since < min(STEADY, self._seconds)
        ):
            return None
        self._offline = False
        if self._dropped:
            return Change(True, f"the connection holds, after {duration(at - self._gone)} in which it did not")
        return Change(True, f"pictures come again after {duration(self._since - self._gone)} without")

    def _missed(self, trouble: str | None, at: float) -> Change | None:
        if at - self._last < self._seconds:
            return None
        self._offline, self._dropped, self._since, self._gone = True, False, None, self._last
        return Change(False, trouble or f"no picture has come for {duration(at - self._last)}")

    def _dropping(self, outage: Outage | None, at: float) -> Change | None:
        if outage is None or not outage.dropping or at - outage.since < self._seconds:
            return None
        self._offline, self._dropped, self._since, self._gone = True, True, None, outage.since
        lost = f"{outage.losses} times in {duration(at - outage.since)}"
        return Change(False, f"the connection drops again and again, {lost}: {outage.error.message}")


def duration(seconds: float) -> str:
    """Return ``seconds`` in short: 40 s, 12 min or 3 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
