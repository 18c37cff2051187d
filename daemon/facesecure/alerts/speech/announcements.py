"""What one household can need said, and forgetting what it no longer does."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from facesecure.config import FacesecureConfig
from facesecure.domain.messages import Phrases


def phrases_of(config: FacesecureConfig) -> Phrases:
    """The sentences in the household's language and words, about its camera."""
    speech = config.speech
    return Phrases(speech.language, config.camera.name, speech.phrases, speech.where)


def sentences(config: FacesecureConfig, names: Iterable[str]) -> list[str]:
    """Everything that can be said while those with ``names`` are enrolled, the most urgent first; rules' words too."""
    from facesecure.alerts.policy.wording import every_sentence

    return every_sentence(phrases_of(config), config.policy.rules, names)


def forget_all_but(config: FacesecureConfig, state_dir: Path, names: Iterable[str]) -> int:
    """Remove, now, every recording but those that a household of ``names`` needs; returns how many files.

    For when a person was removed or renamed: whatever was ever said of them goes, in whichever language or voice, for
    recordings have no list that could be searched. A daemon that runs makes again what this took too much.
    Raises OSError.
    """
    from facesecure.alerts.speech.cache import SpeechCache
    from facesecure.alerts.speech.voices import build_voices

    speech = config.speech
    recordings = SpeechCache(state_dir, build_voices(speech), speech.language, speech.silence, speech.max_mb)
    return recordings.sweep(sentences(config, names), spare_recent=False)
