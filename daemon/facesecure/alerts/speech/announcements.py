"""The sentences that a household needs spoken, and the removal of recordings that it no longer needs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from facesecure.config import FacesecureConfig
from facesecure.domain.messages import PhraseBook, Phrases


def phrases_of(config: FacesecureConfig) -> Phrases:
    """Return the phrases in the configured language and words, for the configured camera, or the first of several."""
    return phrase_book_of(config).first


def phrase_book_of(config: FacesecureConfig) -> PhraseBook:
    """Return the phrases in the configured language and words, for every camera."""
    each = config.each_camera()
    return PhraseBook([_phrases_of(camera, several=len(each) > 1) for camera in each])


def _phrases_of(config: FacesecureConfig, *, several: bool) -> Phrases:
    speech = config.speech
    return Phrases(speech.language, config.camera.name, speech.phrases, speech.where, several=several)


def sentences(config: FacesecureConfig, names: Iterable[str]) -> list[str]:
    """Return every sentence that can be spoken while ``names`` are enrolled, rules' words included, by urgency."""
    from facesecure.alerts.policy.wording import every_sentence

    return every_sentence(phrase_book_of(config), config.policy.rules, names)


def forget_all_but(config: FacesecureConfig, state_dir: Path, names: Iterable[str]) -> int:
    """Remove, now, every recording that a household of ``names`` does not need. Returns the number of files.

    To be called after a person was removed or renamed: every recording about them is deleted, in any language and
    voice, since no list says which recordings those are. A running daemon makes again what it still needs.
    Raises OSError.
    """
    from facesecure.alerts.speech.cache import SpeechCache
    from facesecure.alerts.speech.voices import build_voices

    speech = config.speech
    recordings = SpeechCache(state_dir, build_voices(speech), speech.language, speech.silence, speech.max_mb)
    return recordings.sweep(sentences(config, names), spare_recent=False)
