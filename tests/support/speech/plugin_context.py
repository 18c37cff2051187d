"""What the daemon provides to a plugin, with a voice that beeps."""

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
class Provided:
    """The context of a plugin, the objects behind it, and the progress that the plugin reported."""

    context: PluginContext
    speech: SpeechService
    voice: FakeVoice
    steps: list[tuple[str, str]] = field(default_factory=list)
    """(alert's identifier, step)."""


@contextmanager
def plugin_context(state_dir: Path, voice: FakeVoice | None = None) -> Iterator[Provided]:
    """Provide everything that a plugin's ``attach`` gets, with a voice that needs nothing."""
    steps: list[tuple[str, str]] = []
    voice = voice or FakeVoice()

    def progress(alert: Alert, step: str) -> None:
        steps.append((alert.identifier, step))

    with SpeechService(SpeechConfig(), state_dir, [voice]) as speech:
        context = PluginContext(state_dir, "front door", "en", speech, progress)
        yield Provided(context, speech, voice, steps)
