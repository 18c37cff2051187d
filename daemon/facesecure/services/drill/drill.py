"""Rehearse an alarm from the camera to the loudspeaker, in the running daemon, and time each step.

Real are the frames (a portrait walks through what the camera shows), the detector, the verdict, the policy's channels,
the outbox and the plugins; only the visitor is not. The sighting is therefore marked as staged: it is not recorded, no
cool-down or quiet hours suppress it, and its announcement begins with "This is a drill".
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from facesecure.domain import Alert, Box, Frame, Sighting, VerdictKind
from facesecure.domain.errors import SourceError, StoreError, UsageError
from facesecure.pipeline.tracker import Track
from facesecure.services.drill.injector import VisitorInjector
from facesecure.services.drill.report import DrillReport, Step

SECONDS = 60.0
"""A drill that takes longer has failed."""
SHOWN, DETECTED, JUDGED, DECIDED, WRITTEN = "shown", "detected", "judged", "policy", "written"
DELIVERED, EXPIRED, FAILED = "delivered", "expired", "failed"
_MISSING = {
    SHOWN: ("the camera gave no image", "is it offline? facesecure doctor"),
    DETECTED: ("no face was found in the stranger's portrait", "see [detector], and the camera's mask and zones"),
    JUDGED: ("the face was found but not identified as a stranger", "see [quality] and [verdict]"),
    DECIDED: ("no plugin is to be notified of strangers", "see [policy]"),
    WRITTEN: ("no plugin that is to be notified of strangers is in use", "see [plugins]; the log says why"),
}

_log = logging.getLogger(__name__)


class Drill:
    """Runs one drill at a time: a PipelineObserver, and a follower of the dispatcher's steps. Thread-safe.

    ``begin`` is called on the control socket's threads, the observer's methods on the pipeline's, ``step`` on the
    dispatcher's. Example::

        drill = Drill(partial(save_report, state_dir=state_dir))
        drill.begin()
        pipeline.run(drill.inject(frames))  # with the drill as observer
    """

    def __init__(
        self,
        save: Callable[[DrillReport], object],
        injector: VisitorInjector | None = None,
        seconds: float = SECONDS,
        camera: str = "",
        on_change: Callable[[], object] = lambda: None,
    ) -> None:
        """``save`` receives the report of each drill once it has ended, at the latest after ``seconds``.

        ``camera`` is the name of the one whose frames show the stranger. ``on_change`` is told of each step.
        """
        self.camera, self._on_change = camera, on_change
        self._injector, self._save, self._seconds = injector or VisitorInjector(), save, seconds
        self._lock = threading.Lock()
        self._began: float | None = None
        self._began_at = datetime.now(UTC)
        self._steps: list[Step] = []
        self._tracks: set[int] = set()
        """Tracks of the painted face, of earlier drills as well: one may still be open when the next drill begins."""
        self._alerts: set[str] = set()
        """Alerts of this drill: one of an earlier drill may still be on its way."""
        self._reported = True
        self._trouble: Callable[[], SourceError | None] = _no_trouble
        self._ended = ""
        """Why the camera gives no more frames, for good."""
        self._over = ""
        """Why this drill ended before its alert was decided on."""

    def follow_camera(self, trouble: Callable[[], SourceError | None]) -> None:
        """End drills at once while ``trouble`` returns an error that keeps frames from coming. It must be quick."""
        self._trouble = trouble

    @property
    def showing(self) -> bool:
        """Return whether the stranger is being shown, or will be with the next frame."""
        return self._injector.showing

    def camera_ended(self) -> None:
        """End the drill, and each later one: the camera or recording gives no more frames."""
        self._ended = "the camera or recording has ended"
        self.report()

    def begin(self) -> None:
        """Show the stranger. Raises UsageError while a drill is running."""
        with self._lock:
            if self._began is not None and not self._report().done:
                raise UsageError("a drill is running already", f"wait for its end: at most {self._seconds:.0f} s")
            self._began, self._began_at = time.monotonic(), datetime.now(UTC)
            self._steps, self._alerts, self._reported, self._over = [], set(), False, ""
        _log.info(
            "a drill begins: a stranger's portrait is inserted into the frames of the %s", self.camera or "camera"
        )
        self._injector.begin()
        self._on_change()

    def inject(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield ``frames`` of the camera, with the stranger painted in while a drill shows one."""
        return self._injector.inject(frames)

    # The pipeline's observer --------------------------------------------------------------------------------------

    def on_frame(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Note whether the stranger was shown and detected in ``frame``."""
        box, since = self._injector.box, self._injector.since
        if box is None or since is None:
            return
        self._add_once(SHOWN, "{}x{}".format(*frame.pixels.size))
        for track in tracks:
            if track.fresh and track.first_seen >= since and _overlaps(track.face.box, box):
                self._tracks.add(track.number)
                self._add_once(DETECTED)

    def on_sighting(self, sighting: Sighting) -> Sighting:
        """Return ``sighting``, marked as staged if it is of the painted face or of the motion that it causes."""
        ours = sighting.track in self._tracks or (sighting.track is None and self._injector.box is not None)
        if not ours:
            return sighting
        if sighting.verdict.kind is VerdictKind.STRANGER and not sighting.closing:
            self._add_once(JUDGED, _figures(sighting))
        return replace(sighting, staged=True)

    def on_alerts(self, sighting: Sighting, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """Return ``alerts``; note the channels that the policy has chosen for a staged ``sighting``."""
        if sighting.staged and alerts:
            channels = alerts[0].channels
            self._add_once(DECIDED, "all plugins in use" if channels is None else ", ".join(channels))
        return alerts

    # The dispatcher's follower ------------------------------------------------------------------------------------

    def step(self, alert: Alert, channel: str, what: str) -> None:
        """Note that ``alert`` has reached the step ``what`` at ``channel``; alerts of other origin are ignored."""
        if alert.sighting is None or not alert.sighting.staged or self.camera not in ("", alert.sighting.source):
            return
        with self._lock:
            if what == WRITTEN:
                self._alerts.add(alert.identifier)
            if alert.identifier in self._alerts:
                self._steps.append(Step(what, self._since(), channel))
        self._on_change()
        self.report()

    # The report ---------------------------------------------------------------------------------------------------

    def report(self) -> DrillReport | None:
        """Return the report so far, None before the first drill; saves it the first time that the drill has ended."""
        with self._lock:
            if self._began is None:
                return None
            report = self._report()
            ended, self._reported = report.done and not self._reported, self._reported or report.done
        if ended:
            self._log_and_save(report)
        return report

    def _log_and_save(self, report: DrillReport) -> None:
        (_log.info if report.good else _log.error)("the drill has ended: %s", report.why)
        self._on_change()
        try:
            self._save(report)
        except (OSError, StoreError) as error:
            _log.error("the drill's report could not be saved: %s", error)

    def _report(self) -> DrillReport:
        planned, ended = self._count(WRITTEN), self._count(DELIVERED) + self._count(EXPIRED)
        timed_out = self._since() > self._seconds
        self._over = self._over or self._why_over()
        done = timed_out or 0 < planned <= ended or bool(self._over)
        problem = (self._over or self._problem(planned)) if done else ""
        why = problem or (self._summary() if done else "still running")
        return DrillReport(self._began_at, tuple(self._steps), done, done and not problem, why, self.camera)

    def _why_over(self) -> str:
        """Return why no alert will come of this drill any more; empty if one may, or has."""
        if self._count(DECIDED):
            return ""
        trouble = self._trouble()
        dead = f"{_MISSING[SHOWN][0]}: {trouble.message}" if trouble else ""
        return self._injector.problem or self._ended or dead

    def _problem(self, planned: int) -> str:
        for what, (problem, hint) in _MISSING.items():
            if not self._count(what):
                return f"{problem}; {hint}"
        if self._count(DELIVERED) >= planned:
            return ""
        delivered = {step.channel for step in self._steps if step.what == DELIVERED}
        missing = {step.channel for step in self._steps if step.channel} - delivered
        return f"not delivered by {', '.join(sorted(missing))}; the log says why"

    def _summary(self) -> str:
        failed = {step.channel for step in self._steps if step.what == FAILED}
        missing = failed - {step.channel for step in self._steps if step.what == DELIVERED}
        though = f", though not by {', '.join(sorted(missing))}: the log says why" if missing else ""
        return f"everything was delivered within {self._steps[-1].seconds:.1f} s{though}"

    def _count(self, what: str) -> int:
        return sum(step.what == what for step in self._steps)

    def _since(self) -> float:
        return 0.0 if self._began is None else round(time.monotonic() - self._began, 3)

    def _add_once(self, what: str, note: str = "") -> None:
        """Add the step ``what`` the first time that it happens in this drill."""
        with self._lock:
            if self._began is not None and not self._count(what):
                self._steps.append(Step(what, self._since(), note=note))
                self._on_change()


def _figures(sighting: Sighting) -> str:
    """Describe a verdict without names: a report may be saved after a person was removed."""
    score = "" if sighting.verdict.score is None else f", {sighting.verdict.score:.2f} like anyone enrolled at most"
    return f"{sighting.verdict.faces_used} faces{score}"


def _no_trouble() -> SourceError | None:
    """Return None, for a camera that is not followed."""
    return None


def _overlaps(found: Box, painted: Box) -> bool:
    """Return whether the centre of ``found`` lies in ``painted``."""
    (x, y) = found.centre
    return painted.left <= x <= painted.right and painted.top <= y <= painted.bottom
