"""The interface of a voice."""

from __future__ import annotations

from typing import Protocol

from facesecure.alerts.speech.audio import Sound
from facesecure.domain.errors import PluginError


class Voice(Protocol):
    """Synthesise sentences. Never called twice at once; constructing one loads nothing and uses no network.

    Example::

        if voice.obstacle("en") is None:
            sound = voice.say("A stranger is at the front door", "en")
    """

    @property
    def name(self) -> str:
        """The name used in [speech] voices."""

    @property
    def settings(self) -> str:
        """Everything else that changes the sound: recordings are made again when this changes."""

    def obstacle(self, language: str) -> PluginError | None:
        """Return why it cannot speak ``language`` on this machine: not installed, or not its language.

        Quick, without the network, so None is no guarantee.
        """

    def say(self, text: str, language: str) -> Sound:
        """Return ``text`` spoken, at any loudness. May take seconds, but has a time limit. Raises PluginError."""

    def close(self) -> None:
        """Free models and memory; it may be used again. Callable from any thread: a sentence in progress may fail."""
