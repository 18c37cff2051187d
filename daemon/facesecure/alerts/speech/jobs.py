"""Voices at work, each sentence on a thread of its own that nobody has to wait for; one voice says one at a time."""

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
from facesecure.domain.errors import PluginError

_log = logging.getLogger(__name__)
_QUEUE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class SynthesisJob:
    """A sentence as it was spoken: the MP3, and where it is kept; ``path`` is None where the disk refused it."""

    mp3: bytes
    path: Path | None
    refusal: str = ""


class SynthesisJobs:
    """Starts voices and keeps what they say, even when whoever asked no longer waits."""

    def __init__(self, recordings: SpeechCache, voices: Sequence[Voice], language: str, silence: float) -> None:
        self._recordings = recordings
        self._language = language
        self._silence = silence
        self._locks = {voice.name: threading.Lock() for voice in voices}
        self._voices = voices
        self._running: dict[tuple[str, str], tuple[Future[SynthesisJob], threading.Thread]] = {}
        self._guard = threading.Lock()
        self._closed = False

    def begin(self, voice: Voice, text: str) -> Future[SynthesisJob]:
        """Have ``voice`` say ``text``; the result raises PluginError. One that is being said already is shared."""
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

    def rest(self) -> None:
        """Have the voices let go of their memory; not one that is speaking."""
        for voice in self._voices:
            lock = self._locks[voice.name]
            if lock.acquire(blocking=False):
                try:
                    voice.close()
                finally:
                    lock.release()

    def close(self, seconds: float = 1.0) -> None:
        """Start no more, close the voices, and wait up to ``seconds`` for what is being said; then it is left."""
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
            result = self._take(voice, text)
        except PluginError as error:
            outcome: SynthesisJob | PluginError = error
        except Exception as error:  # noqa: BLE001 - a voice is somebody else's library
            _log.debug("voice %s broke", voice.name, exc_info=True)
            outcome = PluginError(f"{voice.name} broke: {type(error).__name__}: {error}")
        else:
            outcome = result
        with self._guard:
            del self._running[voice.name, text]
        if isinstance(outcome, SynthesisJob):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)

    def _take(self, voice: Voice, text: str) -> SynthesisJob:
        lock = self._locks[voice.name]
        if not lock.acquire(timeout=_QUEUE_SECONDS):
            raise PluginError(f"{voice.name} is still busy with another sentence")
        try:
            if self._closed:
                raise PluginError("the voices are closed", "facesecure is stopping")
            mp3 = finished(voice.say(text, self._language), self._silence)
        except ValueError as error:
            raise PluginError(f"what {voice.name} said cannot be used: {error}") from error
        finally:
            lock.release()
        return self._keep(voice, text, mp3)

    def _keep(self, voice: Voice, text: str, mp3: bytes) -> SynthesisJob:
        try:
            return SynthesisJob(mp3, self._recordings.write(text, voice, mp3))
        except OSError as error:
            return SynthesisJob(mp3, None, f"{self._recordings.folder} cannot be written: {error.strerror}")
