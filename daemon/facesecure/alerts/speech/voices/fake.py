"""A voice for tests and for authors of plugins: tones instead of words, the same for the same sentence."""

from __future__ import annotations

import time
import zlib

import numpy as np

from facesecure.alerts.speech.audio import RATE, Sound
from facesecure.domain.errors import PluginError

_TONE = 0.12
_GAP = 0.03


class FakeVoice:
    """Beeps once for each word, its pitch made of its letters. ``said`` holds every sentence it was asked for."""

    name = "fake"

    def __init__(self, *, settings: str = "", failing: str = "", seconds: float = 0.0, name: str = "fake") -> None:
        """``failing``: what it raises instead (may be changed at any time); ``seconds``: how long it takes to say."""
        self.name = name
        self.settings = settings
        self.failing = failing
        self.seconds = seconds
        self.said: list[str] = []
        self.closed = 0

    def obstacle(self, language: str) -> PluginError | None:  # noqa: ARG002 - it beeps in any
        return None

    def say(self, text: str, language: str) -> Sound:  # noqa: ARG002 - it beeps in any
        self.said.append(text)
        time.sleep(self.seconds)
        if self.failing:
            raise PluginError(self.failing, "this is a fake voice")
        words = text.split() or ["-"]
        return Sound(np.concatenate([_beep(word) for word in words]), RATE)

    def close(self) -> None:
        self.closed += 1


def _beep(word: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    pitch = 300 + zlib.crc32(word.encode()) % 700
    times = np.arange(round(_TONE * RATE)) / RATE
    tone = 0.5 * np.sin(2 * np.pi * pitch * times) * np.hanning(len(times))
    return np.concatenate((tone, np.zeros(round(_GAP * RATE)))).astype(np.float32)
