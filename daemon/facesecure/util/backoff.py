"""Delays between attempts: doubled after every failure, up to a limit, with optional jitter."""

from __future__ import annotations

import random
from dataclasses import dataclass

FIRST_DELAY = 0.5
_MAX_DOUBLINGS = 64
"""Doublings after which every delay has reached its limit; keeps ``2.0 ** failures`` finite."""


@dataclass(frozen=True, slots=True)
class BackoffPolicy:
    """The delays of one kind of retry, in seconds: ``first``, then twice as long each time up to ``longest``.

    Each delay is multiplied by a random factor between the two numbers of ``jitter``, so that several clients of one
    recovering service do not retry at the same moment. Example::

        BackoffPolicy(first=2.0, longest=300.0, jitter=(0.1, 1.0)).delay(3)  # 1.6 to 16 s
    """

    first: float
    longest: float
    jitter: tuple[float, float] = (1.0, 1.0)

    def delay(self, failures: int, rng: random.Random | None = None) -> float:
        """Return the seconds to wait after ``failures`` earlier delays; ``rng`` makes the jitter reproducible."""
        limit = min(self.longest, self.first * 2.0 ** min(failures, _MAX_DOUBLINGS))
        uniform = random.uniform if rng is None else rng.uniform
        return limit * uniform(*self.jitter)


class Backoff:
    """A BackoffPolicy with its count of failures. Not thread-safe.

    By default each delay is shortened by up to a third, so that several cameras behind one recovering router do not
    reconnect at the same moment. Example::

        backoff = Backoff(longest=30.0)
        while not connected():
            time.sleep(backoff.pause())
        backoff.reset()
    """

    def __init__(
        self, longest: float, *, first: float = FIRST_DELAY, jitter: tuple[float, float] = (2 / 3, 1.0)
    ) -> None:
        """Start with a delay of ``first`` seconds, or of ``longest`` if that is shorter."""
        self._policy = BackoffPolicy(first, longest, jitter)
        self._failures = 0

    def pause(self) -> float:
        """Return the seconds to wait now; the next delay is longer."""
        seconds = self._policy.delay(self._failures)
        self._failures += 1
        return seconds

    def reset(self) -> None:
        """Return to the shortest delay, after a success."""
        self._failures = 0
