"""A studio whose voice beeps, lent to a plugin as the daemon would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from facesecure.alerts.plugins.api import PluginContext
from facesecure.alerts.speech.synthesizer import SpeechService
from facesecure.alerts.speech.voices.fake import FakeVoice
from facesecure.config import SpeechConfig
from facesecure.domain import Alert


@dataclass
class Lent:
    """What a plugin was lent, and what it told of its progress."""

    context: PluginContext
    studio: SpeechService
    voice: FakeVoice
    steps: list[tuple[str, str]] = field(default_factory=list)
    """(alert's identifier, step)."""


@contextmanager
def lent(state_dir: Path, voice: FakeVoice | None = None) -> Iterator[Lent]:
    """Everything a plugin's ``attach`` gets, with a voice that needs nothing."""
    steps: list[tuple[str, str]] = []
    voice = voice or FakeVoice()

    def progress(alert: Alert, step: str) -> None:
        steps.append((alert.identifier, step))

    with SpeechService(SpeechConfig(), state_dir, [voice]) as studio:
        context = PluginContext(state_dir, "front door", "en", studio, progress)
        yield Lent(context, studio, voice, steps)
