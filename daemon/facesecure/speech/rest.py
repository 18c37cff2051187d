"""Which voices to leave alone for a while: nobody is asked again and again who has just failed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from facesecure.speech.voices.voice import Voice

_FIRST, _LONGEST = 30.0, 1800.0
_OBSTACLE_HOLDS = 300.0
"""Seconds until a voice is asked again whether it is installed."""


class Rests:
    """Failures of voices, by name, and how long each is left alone: twice as long each time, with some jitter."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures: dict[str, tuple[int, float]] = {}
        self._able: dict[str, tuple[bool, float]] = {}
        self._lock = threading.Lock()

    def resting(self, name: str) -> bool:
        """Whether it failed lately."""
        with self._lock:
            return self._failures.get(name, (0, 0.0))[1] > self._now()

    def failed(self, name: str) -> float:
        """Note a failure; returns the seconds it is left alone."""
        with self._lock:
            count = self._failures.get(name, (0, 0.0))[0]
            pause = min(_FIRST * 2.0**count, _LONGEST) * random.uniform(0.8, 1.2)
            self._failures[name] = min(count + 1, 16), self._now() + pause
            return pause

    def worked(self, name: str) -> None:
        """Note a success: it is trusted again."""
        with self._lock:
            self._failures.pop(name, None)

    def able(self, voice: Voice, language: str) -> bool:
        """Whether nothing that only a person can mend keeps ``voice`` from speaking; remembered for minutes."""
        with self._lock:
            able, until = self._able.get(voice.name, (False, 0.0))
            if until <= self._now():
                able = voice.obstacle(language) is None
                self._able[voice.name] = able, self._now() + _OBSTACLE_HOLDS
            return able
