"""Has everything recorded before it is needed: at the start, when people change, and when a better voice is back."""

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
_ROUND = 60.0
_PACE = 0.25
"""Seconds between two sentences: a service asked in haste refuses, and the camera comes first."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """How many sentences are needed, have a recording, and have the best one there can be."""

    needed: int = 0
    recorded: int = 0
    best: int = 0

    @property
    def complete(self) -> bool:
        return self.best == self.needed


class SpeechPrerenderer(AbstractContextManager["SpeechPrerenderer"]):
    """A thread that keeps recordings complete, and removes those that nobody needs any more."""

    def __init__(
        self,
        studio: SpeechService,
        sentences: Callable[[], Iterable[str]],
        revision: Callable[[], object] = lambda: None,
        *,
        poll: float = _POLL,
        every: float = _ROUND,
        pace: float = _PACE,
    ) -> None:
        """``sentences``: all that can be needed, the most urgent first. It is asked every ``every`` seconds, and
        within ``poll`` when ``revision`` gives something new. Both may raise FacesecureError."""
        self._studio, self._sentences, self._revision = studio, sentences, revision
        self._poll, self._every, self._pace = poll, every, pace
        self._stopping = threading.Event()
        self._told: Readiness | None = None
        self.readiness = Readiness()
        self._thread = threading.Thread(target=self._work, name="speech", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, within a second; a voice that is speaking is not waited for."""
        self._stopping.set()
        self._thread.join(1.0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        while not self._stopping.is_set():
            before = self._known_revision()
            self._round()
            self._wait(before)

    def _wait(self, before: object) -> None:
        """Until people change or it is time to look again."""
        for _ in range(max(1, round(self._every / self._poll))):
            if self._stopping.wait(self._poll) or self._known_revision() != before:
                return

    def _known_revision(self) -> object:
        try:
            return self._revision()
        except FacesecureError as error:
            _log.debug("whether people changed is not known: %s", error)
            return None

    def _round(self) -> None:
        try:
            sentences = list(self._sentences())
            self._record(sentences)
            if not self._stopping.is_set():
                self._studio.sweep(sentences)
        except (FacesecureError, OSError) as error:
            _log.warning("sentences could not be recorded beforehand: %s", error)
        except Exception:  # noqa: BLE001 - a thread that ends would end all recording
            _log.exception("recording sentences beforehand broke; alarms are still spoken")

    def _record(self, sentences: list[str]) -> None:
        before = self._known_revision()
        for sentence in sentences:
            if self._studio.best(sentence):
                continue
            if self._stopping.wait(self._pace) or self._known_revision() != before:
                return
            self._studio.improve(sentence)
        self._studio.rest()
        self._tell(sentences)

    def _tell(self, sentences: list[str]) -> None:
        """Say how far it is, when that is news."""
        found = [self._studio.recorded(sentence) is not None for sentence in sentences]
        best = [self._studio.best(sentence) for sentence in sentences]
        self.readiness = Readiness(len(sentences), sum(found), sum(best))
        if self.readiness == self._told:
            return
        self._told = self.readiness
        if self.readiness.complete:
            _log.info("all %d sentences are recorded", self.readiness.needed)
        elif self.readiness.recorded == self.readiness.needed:
            waiting = self.readiness.needed - self.readiness.best
            _log.info("all sentences are recorded, %d of them until a better voice answers", waiting)
        else:
            missing = self.readiness.needed - self.readiness.recorded
            _log.warning("%d of %d sentences have no recording yet", missing, self.readiness.needed)
