"""A voice that does not answer until it is released: longer than any machine pauses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from facesecure.alerts.speech.audio import Sound
from facesecure.alerts.speech.voices.fake import FakeVoice

LONGEST = 60.0
"""Seconds after which it answers all the same, so that no test hangs for ever."""


class HungVoice(FakeVoice):
    """Says nothing before ``release``."""

    def __init__(self, name: str = "hung") -> None:
        super().__init__(name=name)
        self._released = threading.Event()

    def say(self, text: str, language: str) -> Sound:
        sound = super().say(text, language)
        self._released.wait(LONGEST)
        return sound

    def release(self) -> None:
        """Let it answer what it was asked, and everything from now on at once."""
        self._released.set()


@contextmanager
def hung_voices(*names: str) -> Iterator[list[HungVoice]]:
    """Voices with these names that are released at the end, so that none of their threads is left."""
    voices = [HungVoice(name) for name in names]
    try:
        yield voices
    finally:
        for voice in voices:
            voice.release()
