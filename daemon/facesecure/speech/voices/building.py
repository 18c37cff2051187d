"""The voices that a configuration names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from facesecure.config import SpeechConfig, VoiceName
from facesecure.speech.voices.espeak import EspeakVoice
from facesecure.speech.voices.fake import FakeVoice
from facesecure.speech.voices.google import GoogleVoice
from facesecure.speech.voices.piper import PiperVoice
from facesecure.speech.voices.voice import Voice

_MAKERS: Mapping[VoiceName, Callable[[SpeechConfig], Voice]] = {
    "gtts": lambda config: GoogleVoice(config.accent, slow=config.slow),
    "piper": lambda config: PiperVoice(config.piper_model, slow=config.slow),
    "espeak-ng": lambda config: EspeakVoice(slow=config.slow),
    "fake": lambda _: FakeVoice(),
}


def build_voices(config: SpeechConfig) -> list[Voice]:
    """The voices in the order they are to be tried, none twice. Nothing is loaded yet."""
    return [_MAKERS[name](config) for name in dict.fromkeys(config.voices)]
