"""A voice for tests and for authors of plugins: tones instead of words, always the same for a sentence."""

from __future__ import annotations

import time
import zlib

import numpy as np

from facesecure.alerts.speech.audio import RATE, Sound
from facesecure.domain.errors import PluginError

_TONE = 0.12
_GAP = 0.03


class FakeVoice:
    """Beep once for each word, with a pitch derived from its letters. ``said`` lists the sentences so far.

    Example::

        voice = FakeVoice(failing="no network")
        voice.say("hello", "en")  # raises PluginError
    """

    name = "fake"

    def __init__(self, *, settings: str = "", failing: str = "", seconds: float = 0.0, name: str = "fake") -> None:
        """Raise PluginError with the message ``failing`` if it is set; it may be changed at any time.

        ``seconds``: how long a sentence takes.
        """
        self.name = name
        self.settings = settings
        self.failing = failing
        self.seconds = seconds
        self.said: list[str] = []
        self.closed = 0

    def obstacle(self, language: str) -> PluginError | None:  # noqa: ARG002 - tones have no language
        """Return None: there is no obstacle."""
        return None

    def say(self, text: str, language: str) -> Sound:  # noqa: ARG002 - tones have no language
        """Return the tones of ``text``. Raises PluginError if it is ``failing``."""
        self.said.append(text)
        time.sleep(self.seconds)
        if self.failing:
            raise PluginError(self.failing, "this is a fake voice")
        words = text.split() or ["-"]
        return Sound(np.concatenate([_beep(word) for word in words]), RATE)

    def close(self) -> None:
        """Count the calls."""
        self.closed += 1


def _beep(word: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    pitch = 300 + zlib.crc32(word.encode()) % 700
    times = np.arange(round(_TONE * RATE)) / RATE
    tone = 0.5 * np.sin(2 * np.pi * pitch * times) * np.hanning(len(times))
    return np.concatenate((tone, np.zeros(round(_GAP * RATE)))).astype(np.float32)
