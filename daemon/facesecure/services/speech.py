"""Recordings of the sentences that a household can need: list them, record them, play one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facesecure.alerts.speech.announcements import sentences
from facesecure.alerts.speech.synthesizer import SpeechService
from facesecure.config import FacesecureConfig
from facesecure.domain.errors import UsageError
from facesecure.services.alert_plugins import play_aloud
from facesecure.services.people import recognisable_names
from facesecure.services.progress import Progress, ignore_progress
from facesecure.util import callers_files


@dataclass(frozen=True, slots=True)
class SentenceRecording:
    """A sentence and its recording: voice, length in seconds and MP3 file, which are None if it is not recorded."""

    text: str
    voice: str | None = None
    seconds: float | None = None
    path: Path | None = None


def needed_sentences(config: FacesecureConfig, state_dir: Path) -> list[str]:
    """Return every sentence the household can need, the most urgent first."""
    return sentences(config, recognisable_names(config, state_dir))


def list_recordings(config: FacesecureConfig, state_dir: Path) -> list[SentenceRecording]:
    """Return every sentence the household can need with its recording; record nothing."""
    with SpeechService(config.speech, state_dir) as speech:
        return [_recording(speech, text) for text in needed_sentences(config, state_dir)]


def prepare_recordings(
    config: FacesecureConfig, state_dir: Path, progress: Progress = ignore_progress
) -> list[SentenceRecording]:
    """Record every sentence that is missing or has a better voice now, and return all of them.

    Example::

        missing = [one.text for one in prepare_recordings(config, state_dir) if one.voice is None]
    """
    needed = needed_sentences(config, state_dir)
    with SpeechService(config.speech, state_dir) as speech:
        for number, text in enumerate(needed, 1):
            speech.improve(text)
            progress("recording", number, len(needed))
        return [_recording(speech, text) for text in needed]


def say(text: str, config: FacesecureConfig, state_dir: Path, out: Path | None = None) -> SentenceRecording:
    """Play ``text`` through the loudspeaker of this machine, or write the MP3 to ``out``; return its recording.

    Raises PluginError if no voice can record it or the speaker cannot be used, ConfigError if the settings in
    [plugins.speaker] are wrong, OSError if ``out`` cannot be written, UsageError if ``text`` is blank.
    """
    if not text.strip():
        raise UsageError("there is nothing to say", "for example: facesecure speech say 'Somebody is at the door'")
    with SpeechService(config.speech, state_dir) as speech:
        path = speech.recording(text)
        recording = _recording(speech, text)
        if out is None:
            play_aloud(text, config, state_dir, speech)
        else:
            callers_files.write(out, path.read_bytes())
    return recording


def _recording(speech: SpeechService, text: str) -> SentenceRecording:
    found = speech.recorded(text)
    if found is None:
        return SentenceRecording(text)
    return SentenceRecording(text, speech.voices[found.rank].name, speech.length(found.path), found.path)
