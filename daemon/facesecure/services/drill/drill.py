"""Rehearses an alarm from the camera to the loudspeaker, in the running daemon, and times each step.

What is real: the pictures (a portrait walks through what the camera really shows), the detector, the judge, the
policy's channels, the outbox, the plugins. What is not: nobody is there. So the sighting is marked as staged, nothing
of it is kept as history, no cool-down or quiet hour holds it back, and what is said begins with "This is a drill".
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from facesecure.domain import Alert, Box, Frame, Sighting, VerdictKind
from facesecure.domain.errors import UsageError
from facesecure.pipeline.tracker import Track
from facesecure.services.drill.injector import VisitorInjector
from facesecure.services.drill.report import DrillReport, Step

SECONDS = 60.0
"""A drill that has not ended by then has failed."""
SHOWN, DETECTED, JUDGED, DECIDED, WRITTEN = "shown", "detected", "judged", "policy", "written"
DELIVERED, EXPIRED, FAILED = "delivered", "expired", "failed"
_MISSING = {
    SHOWN: ("the camera gave no picture", "is it offline? facesecure doctor"),
    DETECTED: ("no face was found in the stranger's picture", "see [detector], and [motion] mask"),
    JUDGED: ("the face was found but not judged a stranger's", "see [quality] and [verdict]"),
    DECIDED: ("nobody is told of strangers", "see [policy]"),
    WRITTEN: ("nobody who is told of strangers is in use", "see [plugins]; the log says why"),
}

_log = logging.getLogger(__name__)


class Drill:
    """At most one at a time. ``watch``, ``staged`` and ``decided`` are the pipeline's, ``step`` is the dispatcher's.

    Thread-safe: it is begun from the control socket, watched on the pipeline's thread and heard of on the plugins'.
    """

    def __init__(
        self,
        keep: Callable[[DrillReport], object],
        interjection: VisitorInjector | None = None,
        seconds: float = SECONDS,
    ) -> None:
        """``keep`` is handed the report of each drill when it has ended, at the latest after ``seconds``."""
        self._interjection, self._keep, self._seconds = interjection or VisitorInjector(), keep, seconds
        self._lock = threading.Lock()
        self._began: float | None = None
        self._began_at = datetime.now(UTC)
        self._steps: list[Step] = []
        self._tracks: set[int] = set()
        """The drills' own faces, an earlier one's too: that may stand there still when the next begins."""
        self._alerts: set[str] = set()
        """The alerts of this drill: one of an earlier drill may still be on its way."""
        self._told = True

    def begin(self) -> None:
        """Let the stranger come. Raises UsageError while a drill is under way."""
        with self._lock:
            if self._began is not None and not self._report().done:
                raise UsageError("a drill is under way", f"wait for its end: at most {self._seconds:.0f} s")
            self._began, self._began_at = time.monotonic(), datetime.now(UTC)
            self._steps, self._alerts, self._told = [], set(), False
        _log.info("a drill begins: a stranger's picture is shown to the camera")
        self._interjection.begin()

    def inject(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """``frames`` of the camera, with the stranger in them while a drill wants it."""
        return self._interjection.inject(frames)

    # What the pipeline tells ---------------------------------------------------------------------------------------

    def on_frame(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Look at a frame after its faces were found, before anything is said of them."""
        box, since = self._interjection.box, self._interjection.since
        if box is None or since is None:
            return
        self._once(SHOWN, "{}x{}".format(*frame.pixels.size))
        for track in tracks:
            if track.fresh and track.first_seen >= since and _same_place(track.face.box, box):
                self._tracks.add(track.number)
                self._once(DETECTED)

    def on_sighting(self, sighting: Sighting) -> Sighting:
        """``sighting``, marked as staged where it is of the drill's own face, or of the movement that it makes."""
        ours = sighting.track in self._tracks or (sighting.track is None and self._interjection.box is not None)
        if not ours:
            return sighting
        if sighting.verdict.kind is VerdictKind.STRANGER and not sighting.closing:
            self._once(JUDGED, sighting.verdict.why)
        return replace(sighting, staged=True)

    def on_alerts(self, sighting: Sighting, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """``alerts`` of ``sighting``; of the drill's own, whom the policy has told is noted."""
        if sighting.staged and alerts:
            channels = alerts[0].channels
            self._once(DECIDED, "everybody in use" if channels is None else ", ".join(channels))
        return alerts

    # What becomes of its alert -------------------------------------------------------------------------------------

    def step(self, alert: Alert, channel: str, what: str) -> None:
        """The dispatcher or a plugin says how far ``alert`` has come. Any alert but the drill's own is passed over."""
        if alert.sighting is None or not alert.sighting.staged:
            return
        with self._lock:
            if what == WRITTEN:
                self._alerts.add(alert.identifier)
            if alert.identifier in self._alerts:
                self._steps.append(Step(what, self._since(), channel))
        self.report()

    def report(self) -> DrillReport | None:
        """How far it has come; None before the first. Who first sees its end has it kept."""
        with self._lock:
            if self._began is None:
                return None
            report = self._report()
            ended, self._told = report.done and not self._told, self._told or report.done
        if ended:
            self._tell(report)
        return report

    def _tell(self, report: DrillReport) -> None:
        (_log.info if report.good else _log.error)("the drill has ended: %s", report.why)
        try:
            self._keep(report)
        except OSError as error:
            _log.error("the drill's result is not kept: %s", error)

    def _report(self) -> DrillReport:
        planned, ended = self._count(WRITTEN), self._count(DELIVERED) + self._count(EXPIRED)
        over = self._since() > self._seconds
        done = over or 0 < planned <= ended
        problem = self._problem(planned) if done else ""
        why = problem or (self._praise() if done else "under way")
        return DrillReport(self._began_at, tuple(self._steps), done, done and not problem, why)

    def _problem(self, planned: int) -> str:
        for what, (problem, hint) in _MISSING.items():
            if not self._count(what):
                return f"{problem}; {hint}"
        if self._count(DELIVERED) >= planned:
            return ""
        heard = {step.channel for step in self._steps if step.what == DELIVERED}
        silent = {step.channel for step in self._steps if step.channel} - heard
        return f"not delivered by {', '.join(sorted(silent))}; the log says why"

    def _praise(self) -> str:
        failed = {step.channel for step in self._steps if step.what == FAILED}
        silent = failed - {step.channel for step in self._steps if step.what == DELIVERED}
        though = f", though not by {', '.join(sorted(silent))}: the log says why" if silent else ""
        return f"everything was delivered within {self._steps[-1].seconds:.1f} s{though}"

    def _count(self, what: str) -> int:
        return sum(step.what == what for step in self._steps)

    def _since(self) -> float:
        return 0.0 if self._began is None else round(time.monotonic() - self._began, 3)

    def _once(self, what: str, note: str = "") -> None:
        """The first time that ``what`` happens."""
        with self._lock:
            if self._began is not None and not self._count(what):
                self._steps.append(Step(what, self._since(), note=note))


def _same_place(found: Box, painted: Box) -> bool:
    """Whether the middle of the one lies in the other."""
    (x, y) = found.centre
    return painted.left <= x <= painted.right and painted.top <= y <= painted.bottom
