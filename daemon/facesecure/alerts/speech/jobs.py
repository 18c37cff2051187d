"""Synthesis jobs: each sentence on its own thread, and one sentence at a time for each voice."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from facesecure.alerts.speech.audio import finished
from facesecure.alerts.speech.cache import SpeechCache
from facesecure.alerts.speech.voices.base import Voice
from facesecure.domain.errors import PluginError, StoreError

_log = logging.getLogger(__name__)
_QUEUE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class SynthesisJob:
    """A finished sentence: the MP3 and its file. ``path`` is None if it could not be written; ``refusal`` says why."""

    mp3: bytes
    path: Path | None
    refusal: str = ""


class SynthesisJobs:
    """Run voices on threads and store what they say, even after the caller has stopped waiting.

    Example::

        jobs = SynthesisJobs(cache, voices, "en", silence=0.6)
        jobs.begin(voices[0], "A stranger is at the front door").result(timeout=4.0).path
    """

    def __init__(self, cache: SpeechCache, voices: Sequence[Voice], language: str, silence: float) -> None:
        """Store recordings in ``cache``, with ``silence`` seconds before the words."""
        self._cache = cache
        self._language = language
        self._silence = silence
        self._locks = {voice.name: threading.Lock() for voice in voices}
        self._voices = voices
        self._running: dict[tuple[str, str], tuple[Future[SynthesisJob], threading.Thread]] = {}
        self._guard = threading.Lock()
        self._closed = False

    def begin(self, voice: Voice, text: str) -> Future[SynthesisJob]:
        """Have ``voice`` say ``text``; the future raises PluginError. A job in progress for both is shared."""
        key = voice.name, text
        with self._guard:
            if self._closed:
                raise PluginError("the voices are closed", "facesecure is stopping")
            if key in self._running:
                return self._running[key][0]
            future: Future[SynthesisJob] = Future()
            thread = threading.Thread(
                target=self._work, args=(voice, text, future), name=f"voice-{voice.name}", daemon=True
            )
            self._running[key] = future, thread
            thread.start()
        return future

    def release(self) -> None:
        """Have every voice that is not speaking free its memory."""
        for voice in self._voices:
            lock = self._locks[voice.name]
            if lock.acquire(blocking=False):
                try:
                    voice.close()
                finally:
                    lock.release()

    def close(self, seconds: float = 1.0) -> None:
        """Refuse new jobs, close the voices, and wait up to ``seconds`` for running jobs; then abandon them."""
        with self._guard:
            self._closed = True
            threads = [thread for _, thread in self._running.values()]
        for voice in self._voices:
            voice.close()
        deadline = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self, voice: Voice, text: str, future: Future[SynthesisJob]) -> None:
        try:
            result = self._synthesize(voice, text)
        except PluginError as error:
            outcome: SynthesisJob | PluginError = error
        except Exception as error:  # noqa: BLE001 - a voice is a third-party library
            _log.debug("voice %s failed unexpectedly", voice.name, exc_info=True)
            outcome = PluginError(f"{voice.name} failed: {type(error).__name__}: {error}")
        else:
            outcome = result
        with self._guard:
            del self._running[voice.name, text]
        if isinstance(outcome, SynthesisJob):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)

    def _synthesize(self, voice: Voice, text: str) -> SynthesisJob:
        lock = self._locks[voice.name]
        if not lock.acquire(timeout=_QUEUE_SECONDS):
            raise PluginError(f"{voice.name} is still busy with another sentence")
        try:
            if self._closed:
                raise PluginError("the voices are closed", "facesecure is stopping")
            mp3 = finished(voice.say(text, self._language), self._silence)
        except ValueError as error:
            raise PluginError(f"the sound from {voice.name} cannot be used: {error}") from error
        finally:
            lock.release()
        return self._store(voice, text, mp3)

    def _store(self, voice: Voice, text: str, mp3: bytes) -> SynthesisJob:
        try:
            return SynthesisJob(mp3, self._cache.write(text, voice, mp3))
        except OSError as error:
            return SynthesisJob(mp3, None, f"{self._cache.folder} cannot be written: {error.strerror}")
        except StoreError as error:
            return SynthesisJob(mp3, None, f"the recording cannot be signed: {error.message}")
