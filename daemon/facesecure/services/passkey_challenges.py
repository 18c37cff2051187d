"""The challenges that passkeys sign: each is made here, remembered for a few minutes, and taken once."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from facesecure.domain.passkeys import Purpose, Site

LASTS = 300.0
"""Seconds; whoever has to find a security key first needs one or two minutes."""
MOST = 256
MOST_OF_ONE = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """What a challenge was made for. ``by`` is a session or a household's address: others cannot use it."""

    purpose: Purpose
    site: Site
    by: str


class Challenges:
    """Remembers challenges in memory: a restart makes them void. Thread-safe.

    Example::

        challenge = challenges.make(Asked(Purpose.SIGN_IN, site, "192.168.1.7"))
        challenges.take(challenge, Asked(Purpose.SIGN_IN, site, "192.168.1.7"))  # True, once
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._lock = threading.Lock()
        self._made: dict[bytes, tuple[Asked, float]] = {}

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._made)

    def make(self, asked: Asked) -> bytes:
        """Return 256 random bits. Whoever asks for many loses their own first ones, not other people's."""
        challenge, now = secrets.token_bytes(32), self._steady()
        with self._lock:
            self._made = {one: kept for one, kept in self._made.items() if now - kept[1] < LASTS}
            counts = Counter(kept.by for kept, _ in self._made.values())
            if counts[asked.by] >= MOST_OF_ONE:
                self._forget_oldest_of(asked.by)
            elif len(self._made) >= MOST:
                self._forget_oldest_of(counts.most_common(1)[0][0])
            self._made[challenge] = (asked, now)
        return challenge

    def take(self, challenge: bytes, asked: Asked) -> bool:
        """Return whether the challenge was made for exactly this, lately. It is void afterwards in any case."""
        with self._lock:
            made = self._made.pop(challenge, None)
        return made is not None and made[0] == asked and self._steady() - made[1] < LASTS

    def _forget_oldest_of(self, by: str) -> None:
        del self._made[next(one for one, (kept, _) in self._made.items() if kept.by == by)]
