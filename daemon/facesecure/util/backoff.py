"""How long to wait before trying again."""

from __future__ import annotations

import random

FIRST_PAUSE = 0.5


class Backoff:
    """Pauses that double from half a second up to ``longest`` seconds, each shortened by chance by up to a third.

    Chance keeps several cameras behind one recovering router from asking all at once.
    """

    def __init__(self, longest: float, first: float = FIRST_PAUSE) -> None:
        self._longest = longest
        self._first = min(first, longest)
        self._next = self._first

    def pause(self) -> float:
        """Seconds to wait now; the next answer is longer."""
        now, self._next = self._next, min(self._longest, 2 * self._next)
        return now * random.uniform(2 / 3, 1.0)

    def reset(self) -> None:
        """It works again: the next pause is the shortest."""
        self._next = self._first
