"""Let a known face at the door disarm, where the household wants it and nothing at all speaks against it.

It is decided when the visit has ended, on all of it. Every condition must be met:

- it is armed away, and the visit lies within the entry delay
- the person is on the household's list, and the last verdict of the visit is still their name
- the evidence is as strong as ``SURE`` and ``FACES`` demand
- both networks that tell pictures from living faces have judged the visit, in daylight, and found it alive
- no stranger's alert waits
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from facesecure.alerts.policy.entry_delay import Entry, EntryPhase
from facesecure.config.policy import PolicyConfig
from facesecure.domain import Alert, Frame, Sighting, Verdict, VerdictKind
from facesecure.domain.mode import Mode
from facesecure.domain.names import name_key
from facesecure.pipeline.observer import PipelineObserver
from facesecure.pipeline.tracker import Track
from facesecure.recognition.liveness.visit import LEAST_FACES, VisitCues
from facesecure.util.clock import SystemClock

SURE = math.log(1e6)
"""Least evidence, nats: of a million strangers one reaches such a likelihood ratio at most (Ville's inequality)."""
FACES = 3
"""Least usable faces: one more than a verdict needs by default."""
ALIVE = 0.5
"""Mean score of the networks from which a face is not certainly alive; a doubt is raised at 0.8."""
_MOST_VISITS = 64

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a visit ended: its last verdict, also one that was not reported, and what the networks said of it."""

    verdict: Verdict
    cues: VisitCues


class FaceDisarm:
    """An observer of one camera around another observer, which calls ``disarm`` with the name of whoever came home.

    Example::

        observer = FaceDisarm(drill, config.policy, lambda: policy.mode, lambda: delay.entry, liveness.cues, disarm)
    """

    def __init__(
        self,
        inner: PipelineObserver,
        config: PolicyConfig,
        mode: Callable[[], Mode],
        entry: Callable[[], Entry],
        cues: Callable[[int], VisitCues],
        disarm: Callable[[str], object],
        steady: Callable[[], float] | None = None,
    ) -> None:
        """``cues`` returns what was judged of the visit with that number, as long as its track lasts.

        ``steady``: a clock that never jumps, for tests.
        """
        self._inner, self._config = inner, config
        self._mode, self._entry, self._cues, self._disarm = mode, entry, cues, disarm
        self._steady = steady or SystemClock().steady
        self._names = {name_key(name) for name in config.known_disarms}
        self._began: dict[int, float] = {}
        self._ended: dict[int, Ended] = {}

    def on_frame(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Note when visits begin and how they end."""
        now = self._steady()
        for track in tracks:
            self._began.setdefault(track.number, now)
            if track.ended:
                self._ended[track.number] = Ended(track.verdict, self._cues(track.number))
        for kept in (self._began, self._ended):
            while len(kept) > _MOST_VISITS:
                del kept[next(iter(kept))]
        self._inner.on_frame(frame, tracks)

    def on_sighting(self, sighting: Sighting) -> Sighting:
        """Pass the sighting on."""
        return self._inner.on_sighting(sighting)

    def on_alerts(self, sighting: Sighting, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """Decide on a visit that has ended."""
        alerts = self._inner.on_alerts(sighting, alerts)
        if sighting.closing and sighting.track is not None:
            ended, began = self._ended.pop(sighting.track, None), self._began.pop(sighting.track, None)
            name = sighting.verdict.name
            if name is not None and name_key(name) in self._names and self._mode() is Mode.AWAY:
                self._decide(name, sighting, ended, began)
        return alerts

    def _decide(self, name: str, sighting: Sighting, ended: Ended | None, began: float | None) -> None:
        """Disarm, or log why not; the log has no name."""
        if why := self._against(sighting, ended, began):
            _log.info("a face does not disarm: %s", why)
        else:
            self._disarm(name)

    def _against(self, sighting: Sighting, ended: Ended | None, began: float | None) -> str:
        """Return what speaks against it; empty if nothing does."""
        if not sighting.proves_presence:
            return sighting.doubt or "it is a drill"
        if ended is None or began is None:
            return "the end of the visit was not seen"
        entry = self._entry()
        if entry.phase is EntryPhase.TRIGGERED or self._steady() - began > self._config.entry_delay:
            return "the entry delay is over"
        if entry.stranger:
            return "a stranger is there as well"
        return _weakness(sighting, ended.verdict) or _not_alive(ended.cues)


def _weakness(sighting: Sighting, last: Verdict) -> str:
    """Return what is too little for certainty; empty if nothing is."""
    if last.kind is not VerdictKind.KNOWN or last.name != sighting.verdict.name:
        return "the last verdict of the visit is another one"
    if last.faces_used < FACES:
        return f"only {last.faces_used} usable faces, {FACES} needed"
    if last.evidence is None or last.evidence < SURE:
        return f"the evidence is {last.evidence or 0.0:.1f} nats, {SURE:.1f} needed"
    return ""


def _not_alive(cues: VisitCues) -> str:
    """Return why it is not certain that it is no picture; empty if it is."""
    if cues.scored < LEAST_FACES:
        return f"only {cues.scored} faces were judged by both networks against pictures, {LEAST_FACES} needed"
    score = cues.summary.score
    if cues.doubt or cues.suspicious or score is None or score >= ALIVE:
        return "it may be a picture"
    return ""
