"""Whether the time of day can be believed, for those who throw away what is too old by it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from facesecure.policy.clock import Clock, SystemClock

DOUBT = timedelta(days=1)
"""A wall clock that moved this much against the one that never jumps is doubted, for as long."""

_log = logging.getLogger(__name__)


class CalendarTrust:
    """Asked at each round. A clock that jumped, or that finds everything too old at the start, is doubted for a day.

    By then somebody, or the network, has set it right; a clock that is still wrong is believed.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._offset = self._present_offset()
        self._first = True
        self._doubted_at: float | None = None

    def believed(self, newest: datetime | None, keep: timedelta) -> bool:
        """Whether what is older than ``keep`` may go. ``newest``: when somebody was last seen."""
        moved, age = self._present_offset() - self._offset, newest and self._clock.now() - newest
        if abs(moved) > DOUBT.total_seconds():
            self._doubt(f"the clock was moved by {moved / 86400:+.0f} days")
        elif self._first and age and age > keep:
            self._doubt(f"by the clock nobody was seen for {age.days} days")
        self._first, self._offset = False, self._offset + moved
        if self._doubted_at is not None and self._clock.steady() - self._doubted_at >= DOUBT.total_seconds():
            self._doubted_at = None
        return self._doubted_at is None

    def _doubt(self, why: str) -> None:
        self._doubted_at = self._clock.steady()
        _log.warning("%s: nothing is thrown away for its age until the clock has gone well for a day", why)

    def _present_offset(self) -> float:
        return self._clock.now().timestamp() - self._clock.steady()
