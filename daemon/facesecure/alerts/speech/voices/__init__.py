"""Voices, which turn a sentence into sound. They are tried in the order of [speech] voices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from facesecure.alerts.speech.voices.base import Voice
from facesecure.alerts.speech.voices.espeak import EspeakVoice
from facesecure.alerts.speech.voices.fake import FakeVoice
from facesecure.alerts.speech.voices.google import GoogleVoice
from facesecure.alerts.speech.voices.piper import PiperVoice
from facesecure.config import SpeechConfig, VoiceName

__all__ = ["Voice", "build_voices"]


_FACTORIES: Mapping[VoiceName, Callable[[SpeechConfig], Voice]] = {
    "gtts": lambda config: GoogleVoice(config.accent, slow=config.slow),
    "piper": lambda config: PiperVoice(config.piper_model, slow=config.slow),
    "espeak-ng": lambda config: EspeakVoice(slow=config.slow),
    "fake": lambda _: FakeVoice(),
}


def build_voices(config: SpeechConfig) -> list[Voice]:
    """Return the configured voices in order, each once. Nothing is loaded yet."""
    return [_FACTORIES[name](config) for name in dict.fromkeys(config.voices)]
