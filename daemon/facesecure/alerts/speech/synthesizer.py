"""Recordings of sentences: from the disk at once, or else made now, by the first voice that can."""

from __future__ import annotations

import logging
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType

from facesecure.alerts.speech.audio import length
from facesecure.alerts.speech.cache import CachedSpeech, SpeechCache
from facesecure.alerts.speech.jobs import SynthesisJob, SynthesisJobs
from facesecure.alerts.speech.voices import build_voices
from facesecure.alerts.speech.voices.base import Voice
from facesecure.config import SpeechConfig
from facesecure.domain.errors import PluginError

_log = logging.getLogger(__name__)
_URGENT = 4.0
_PATIENT = 30.0
_NO_VOICE = (
    "install a voice that needs no network: sudo apt install espeak-ng (any language) or "
    "pip install 'facesecure[offline-voice]' (English); facesecure doctor says what each voice lacks"
)


class SpeechService(AbstractContextManager["SpeechService"]):
    """The voice that the daemon lends to plugins (``alerts.plugin.Speech``). Any method, from any thread."""

    def __init__(
        self, config: SpeechConfig, state_dir: Path, voices: list[Voice] | None = None, *, urgent: float = _URGENT
    ) -> None:
        """``voices`` stand in for those that ``config`` names; ``urgent``: seconds a recording may take that is not
        there yet. Nothing is loaded, nobody asked."""
        self.voices = build_voices(config) if voices is None else voices
        self.language = config.language
        self._recordings = SpeechCache(state_dir, self.voices, config.language, config.silence, config.max_mb)
        self._takes = SynthesisJobs(self._recordings, self.voices, config.language, config.silence)
        self._rests = VoiceBackoff()
        self._urgent = urgent
        self._spare: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()

    def recording(self, text: str) -> Path:
        """An MP3 that says ``text``. Raises PluginError, within ``urgent`` seconds, where no voice can."""
        found = self._recordings.find(text)
        if found is None:
            return self._made_now(text)
        self._recordings.touch(found.path)
        return found.path

    def length(self, recording: Path) -> float:
        """Seconds that ``recording`` plays. Raises PluginError; a damaged one is made anew when next asked for."""
        try:
            return length(recording)
        except ValueError as error:
            with suppress(OSError):
                recording.unlink()
            raise PluginError(f"the recording {recording} is damaged", "it is made anew when it is needed") from error

    def recorded(self, text: str) -> CachedSpeech | None:
        """The best recording of ``text`` there is now."""
        return self._recordings.find(text)

    def best(self, text: str) -> bool:
        """Whether no voice that can speak here would do better than the recording of ``text``."""
        found = self.recorded(text)
        return found is not None and not any(self._able(voice) for voice in self.voices[: found.rank])

    def improve(self, text: str, seconds: float = _PATIENT) -> CachedSpeech | None:
        """Have ``text`` recorded by a better voice than so far, if one can now; returns the best there is.

        A voice that failed lately is left alone for a while. Never raises for a voice's failure.
        """
        found = self.recorded(text)
        for voice in self.voices[: found.rank if found else None]:
            if not self._rests.resting(voice.name) and self._able(voice) and self._recorded_by(voice, text, seconds):
                break
        return self.recorded(text)

    def sweep(self, texts: Iterable[str]) -> int:
        """Remove recordings of anything else than ``texts`` that were not used lately; returns how many."""
        return self._recordings.sweep(texts)

    def rest(self) -> None:
        """Let go of the voices' memory until one is needed again."""
        self._takes.rest()

    def close(self) -> None:
        """Stop the voices, within a second."""
        self._takes.close()
        with self._lock:
            if self._spare is not None:
                self._spare.cleanup()
                self._spare = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _able(self, voice: Voice) -> bool:
        return self._rests.able(voice, self.language)

    def _recorded_by(self, voice: Voice, text: str, seconds: float) -> bool:
        try:
            take = self._takes.begin(voice, text).result(seconds)
        except (PluginError, TimeoutError) as error:
            pause = self._rests.failed(voice.name)
            _log.debug("voice %s failed and is left alone for %.0f s: %s", voice.name, pause, error)
            return False
        self._rests.worked(voice.name)
        if take.path is None:
            _log.warning("a sentence could not be kept: %s", take.refusal)
        return True

    def _made_now(self, text: str) -> Path:
        """Each voice has its share of the time; those that failed lately come last."""
        deadline, complaints = time.monotonic() + self._urgent, []
        voices = sorted(self.voices, key=lambda voice: self._rests.resting(voice.name))
        for left, voice in zip(range(len(voices), 0, -1), voices, strict=True):
            share = max(0.0, deadline - time.monotonic()) / left
            try:
                return self._placed(self._takes.begin(voice, text).result(share))
            except PluginError as error:
                complaints.append(f"{voice.name}: {error.message}")
            except TimeoutError:
                complaints.append(f"{voice.name}: not ready within {share:.1f} s")
        late = self._recordings.find(text)
        if late is not None:
            return late.path
        raise PluginError(f"no voice can say {text!r}: {'; '.join(complaints)}", _NO_VOICE)

    def _placed(self, take: SynthesisJob) -> Path:
        """Where it is kept, or where the disk is full a place that is forgotten with this process."""
        if take.path is not None:
            return take.path
        _log.warning("a sentence is said but not kept: %s", take.refusal)
        try:
            return self._in_spare(take.mp3)
        except OSError as error:
            raise PluginError(f"there is no room for a recording: {error.strerror}", "free some space") from error

    def _in_spare(self, mp3: bytes) -> Path:
        with self._lock:
            if self._spare is None:
                self._spare = tempfile.TemporaryDirectory(prefix="facesecure-", ignore_cleanup_errors=True)
            with tempfile.NamedTemporaryFile(dir=self._spare.name, suffix=".mp3", delete=False) as file:
                file.write(mp3)
        return Path(file.name)


_FIRST, _LONGEST = 30.0, 1800.0
_OBSTACLE_HOLDS = 300.0
"""Seconds until a voice is asked again whether it is installed."""


class VoiceBackoff:
    """Failures of voices, by name, and how long each is left alone: twice as long each time, with some jitter."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures: dict[str, tuple[int, float]] = {}
        self._able: dict[str, tuple[bool, float]] = {}
        self._lock = threading.Lock()

    def resting(self, name: str) -> bool:
        """Whether it failed lately."""
        with self._lock:
            return self._failures.get(name, (0, 0.0))[1] > self._now()

    def failed(self, name: str) -> float:
        """Note a failure; returns the seconds it is left alone."""
        with self._lock:
            count = self._failures.get(name, (0, 0.0))[0]
            pause = min(_FIRST * 2.0**count, _LONGEST) * random.uniform(0.8, 1.2)
            self._failures[name] = min(count + 1, 16), self._now() + pause
            return pause

    def worked(self, name: str) -> None:
        """Note a success: it is trusted again."""
        with self._lock:
            self._failures.pop(name, None)

    def able(self, voice: Voice, language: str) -> bool:
        """Whether nothing that only a person can mend keeps ``voice`` from speaking; remembered for minutes."""
        with self._lock:
            able, until = self._able.get(voice.name, (False, 0.0))
            if until <= self._now():
                able = voice.obstacle(language) is None
                self._able[voice.name] = able, self._now() + _OBSTACLE_HOLDS
            return able
