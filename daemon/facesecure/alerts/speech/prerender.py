"""Record all sentences before they are needed: at the start, when people change, and when a better voice is back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType

from facesecure.alerts.speech.synthesizer import SpeechService
from facesecure.domain.errors import FacesecureError

_log = logging.getLogger(__name__)
_POLL = 1.0
_INTERVAL = 60.0
_PAUSE = 0.25
"""Seconds between two sentences: a service that gets requests too fast refuses them, and the camera comes first."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """The number of sentences that are needed, that are recorded, and that are recorded by the best available voice."""

    needed: int = 0
    recorded: int = 0
    best: int = 0

    @property
    def complete(self) -> bool:
        """True if every sentence has its best recording."""
        return self.best == self.needed


class SpeechPrerenderer(AbstractContextManager["SpeechPrerenderer"]):
    """A thread that keeps the recordings complete and removes those that are no longer needed.

    Example::

        with SpeechPrerenderer(speech, lambda: policy.sentences(names()), store.people_revision):
            watch(frames)
    """

    def __init__(
        self,
        speech: SpeechService,
        sentences: Callable[[], Iterable[str]],
        revision: Callable[[], object] = lambda: None,
        *,
        poll: float = _POLL,
        interval: float = _INTERVAL,
        pause: float = _PAUSE,
    ) -> None:
        """Start the thread.

        ``sentences`` returns all sentences that can be needed, most urgent first. It is called every ``interval``
        seconds, and within ``poll`` seconds after ``revision`` returns something new. Both may raise FacesecureError.
        ``pause``: seconds between two sentences.
        """
        self._speech, self._sentences, self._revision = speech, sentences, revision
        self._poll, self._interval, self._pause = poll, interval, pause
        self._stopping = threading.Event()
        self._logged: Readiness | None = None
        self.readiness = Readiness()
        self._thread = threading.Thread(target=self._work, name="speech", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop within a second, without waiting for a voice that is speaking."""
        self._stopping.set()
        self._thread.join(1.0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _work(self) -> None:
        while not self._stopping.is_set():
            before = self._known_revision()
            self._record_and_sweep()
            self._wait(before)

    def _wait(self, before: object) -> None:
        """Wait until people change or the interval is over."""
        for _ in range(max(1, round(self._interval / self._poll))):
            if self._stopping.wait(self._poll) or self._known_revision() != before:
                return

    def _known_revision(self) -> object:
        try:
            return self._revision()
        except FacesecureError as error:
            _log.debug("cannot check whether people changed: %s", error)
            return None

    def _record_and_sweep(self) -> None:
        try:
            sentences = list(self._sentences())
            self._record(sentences)
            if not self._stopping.is_set():
                self._speech.sweep(sentences)
        except (FacesecureError, OSError) as error:
            _log.warning("cannot record sentences in advance: %s", error)
        except Exception:  # noqa: BLE001 - the end of this thread would end all recording
            _log.exception("error while recording sentences in advance; alerts are spoken all the same")

    def _record(self, sentences: list[str]) -> None:
        before = self._known_revision()
        for sentence in sentences:
            if self._speech.best(sentence):
                continue
            if self._stopping.wait(self._pause) or self._known_revision() != before:
                return
            self._speech.improve(sentence)
        self._speech.release()
        self._report(sentences)

    def _report(self, sentences: list[str]) -> None:
        """Update ``readiness``, and log it if it has changed."""
        found = [self._speech.recorded(sentence) is not None for sentence in sentences]
        best = [self._speech.best(sentence) for sentence in sentences]
        self.readiness = Readiness(len(sentences), sum(found), sum(best))
        if self.readiness == self._logged:
            return
        self._logged = self.readiness
        if self.readiness.complete:
            _log.info("all %d sentences are recorded", self.readiness.needed)
        elif self.readiness.recorded == self.readiness.needed:
            waiting = self.readiness.needed - self.readiness.best
            _log.info("all sentences are recorded, %d of them with a fallback voice for now", waiting)
        else:
            missing = self.readiness.needed - self.readiness.recorded
            _log.warning("%d of %d sentences are not recorded yet", missing, self.readiness.needed)
