"""What a voice is."""

from __future__ import annotations

from typing import Protocol

from facesecure.alerts.speech.audio import Sound
from facesecure.domain.errors import PluginError


class Voice(Protocol):
    """Says sentences. Never called twice at once; building one loads nothing and asks nobody."""

    @property
    def name(self) -> str:
        """As it stands in [speech] voices."""

    @property
    def settings(self) -> str:
        """Whatever else changes how it sounds: a recording is made anew when this changes."""

    def obstacle(self, language: str) -> PluginError | None:
        """Why it cannot say anything in ``language`` here until somebody acts: not installed, not its language.

        Quick, and asks no network: None promises nothing.
        """

    def say(self, text: str, language: str) -> Sound:
        """``text`` spoken, at any loudness. May take seconds, but ends by itself. Raises PluginError."""

    def close(self) -> None:
        """Let go of models and memory; it may be used again afterwards. From any thread: what it is saying may fail."""
