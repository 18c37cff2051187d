"""A time limit shared by several steps."""

from __future__ import annotations

import time


class Deadline:
    """A point in time ``seconds`` from now.

    Example::

        deadline = Deadline(8.0)
        connect(timeout=deadline.left(at_most=2.5))
        play(timeout=deadline.left())
    """

    def __init__(self, seconds: float) -> None:
        """Start to run."""
        self._end = time.monotonic() + seconds

    def left(self, at_most: float = float("inf")) -> float:
        """Return the seconds that are left, from 0 to ``at_most``."""
        return max(0.0, min(at_most, self._end - time.monotonic()))

    @property
    def passed(self) -> bool:
        """True if no time is left."""
        return time.monotonic() >= self._end
