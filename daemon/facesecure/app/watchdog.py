"""Report to the service manager that frames are being processed, until they are not (sd_watchdog_enabled(3)).

Two things can hang: the pipeline, with a frame it has taken and does not finish, and the capture thread, which gives
neither a frame nor a sign of life: beside other cameras such a thread is left behind, and its camera is opened anew.
Waiting for a frame is no work, so a quiet camera is no fault; and since a source
gives signs of life while it reconnects, an unplugged camera is reported as an outage instead of causing restarts for
ever. A leak counts as well: of file descriptors or threads, in a plugin for instance. All times are monotonic, so that
a clock that jumps changes nothing.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, Self

from facesecure.app.systemd import notify
from facesecure.domain import Frame
from facesecure.util.periodic import PeriodicTask, RunsPeriodically

OPENING_SPARE = 5.0
"""Seconds that opening a camera may take beyond its own timeouts."""
MAX_FILES_SHARE = 0.9
"""Share of the file descriptors that may be in use; the rest is needed to report the problem."""
MAX_THREADS = 1000
"""Threads that may run; a healthy daemon has some twenty."""

Clock = Callable[[], float]

_log = logging.getLogger(__name__)


class Capture(Protocol):
    """The part of ``camera.capture.LatestFrame`` that the watchdog needs."""

    @property
    def live(self) -> bool:
        """Whether a thread of its own captures the frames."""

    @property
    def alive_at(self) -> float:
        """The monotonic time of the capture thread's last sign of life."""

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames."""

    def renew(self) -> bool:
        """Capture anew, without the thread that is stuck. Return whether that was possible."""


class Watched(Protocol):
    """Work that the watchdog can check."""

    def stalled(self) -> str | None:
        """Return a description of what hangs, None if nothing does. Called from another thread."""


class Progress:
    """The progress of frames through the pipeline; reports when something holds them up.

    Example::

        progress = Progress(latest, config.camera.timeout, 30.0)
        for frame in progress.frames():
            pipeline.step(frame)
    """

    def __init__(self, capture: Capture, timeout: float, frame_seconds: float, clock: Clock = time.monotonic) -> None:
        """``timeout``: the camera's own, seconds, which connecting and the first frame may each take once.

        ``frame_seconds``: the longest that one frame may take.
        """
        self._capture = capture
        self._frame_seconds = frame_seconds
        self._max_silence = max(frame_seconds, 2 * timeout + OPENING_SPARE)
        self._clock = clock
        self._since: float | None = None
        self._ended = False
        self.finished = 0

    def frames(self) -> Iterator[Frame]:
        """Yield the frames of the capture; each counts as finished when the next is requested. Call it once."""
        try:
            self._wait()
            for frame in self._capture:
                self._since = self._clock()
                yield frame
                self.finished += 1
                self._wait()
        finally:
            self._ended = True

    def stalled(self) -> str | None:
        """Return a description of what hangs; None if nothing does, or once the frames have ended."""
        now, since = self._clock(), self._since
        if self._ended:
            return None
        if since is not None and now - since > self._frame_seconds:
            return f"no frame was finished for {now - since:.0f} s"
        silence = now - self._capture.alive_at
        if self._capture.live and silence > self._max_silence and not self._capture.renew():
            return f"the camera's thread gave no sign of life for {silence:.0f} s"
        return None

    def _wait(self) -> None:
        """Start waiting for a frame. A recording is decoded by this same thread, so there waiting counts as work."""
        self._since = None if self._capture.live else self._clock()


class EachProgress:
    """The progress of several cameras; what holds one of them up is reported.

    Example::

        progress = EachProgress([Progress(gate, 5.0, 30.0), Progress(door, 5.0, 30.0)])
        gate_frames, door_frames = progress.frames()
    """

    def __init__(self, each: Sequence[Progress]) -> None:
        self._each = each

    @property
    def finished(self) -> int:
        """How many frames were finished."""
        return sum(one.finished for one in self._each)

    def frames(self) -> list[Iterator[Frame]]:
        """Return the frames of each camera, to be iterated once."""
        return [one.frames() for one in self._each]

    def stalled(self) -> str | None:
        """Return a description of what hangs first, None if nothing does."""
        return next(filter(None, (one.stalled() for one in self._each)), None)


class Deadline:
    """Work that has to end within ``seconds``, such as starting the next daemon."""

    def __init__(self, what: str, seconds: float, clock: Clock = time.monotonic) -> None:
        self._what, self._seconds, self._clock, self._since = what, seconds, clock, clock()

    def stalled(self) -> str | None:
        """Return a description of the work if it takes too long, else None."""
        took = self._clock() - self._since
        return f"{self._what} takes {took:.0f} s" if took > self._seconds else None


class Watchdog(RunsPeriodically):
    """A thread that reports ``watch``-ed work to the service manager, if that has asked for it (WatchdogSec).

    When the work stalls, the thread logs it and has the service manager restart the process at once instead of after
    the timeout. If this thread hangs itself, its silence has the same effect. Example::

        with Watchdog() as watchdog:
            watchdog.watch(Progress(latest, 5.0, 30.0))
    """

    def __init__(self, seconds: float | None = None, send: Callable[..., None] = notify) -> None:
        """``seconds``: the service manager's timeout, by default as it was passed to this process; None for never."""
        self.seconds = watchdog_seconds() if seconds is None else seconds
        self._send = send
        self._work: Watched | None = None
        self._task = PeriodicTask("watchdog", self._check, (self.seconds or 0.0) / 4, first=0.0)

    def watch(self, work: Watched | None) -> None:
        """Report on ``work`` from now on; None: on nothing but this thread itself."""
        self._work = work

    def __enter__(self) -> Self:
        """Start the watchdog; without a timeout do nothing."""
        if self.seconds is None:
            return self
        faulthandler.enable()  # systemd ends us with SIGABRT: the journal then shows where every thread was
        return super().__enter__()

    def _check(self) -> None:
        stalled = exhausted_resource() or (None if self._work is None else self._work.stalled())
        if stalled is None:
            self._send("WATCHDOG=1")
            return
        _log.critical("%s: something hangs or leaks, facesecure has to be restarted", stalled)
        self._send(f"STATUS=hanging: {stalled}", "WATCHDOG=trigger")
        self._task.stop()


def watchdog_seconds() -> float | None:
    """Return the watchdog timeout that the unit's WatchdogSec sets for this very process; None if it sets none."""
    microseconds, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID")
    if not microseconds.isdecimal() or int(microseconds) == 0 or process not in (None, str(os.getpid())):
        return None
    return int(microseconds) / 1e6


def exhausted_resource() -> str | None:
    """Return a description of a resource that is nearly used up, else None. Takes less than a millisecond."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a Path for each would be thrown away
    except OSError:
        return f"none of the {limit} file descriptors is free"
    if files > MAX_FILES_SHARE * limit:
        return f"{files} of the {limit} file descriptors are in use"
    if threading.active_count() > MAX_THREADS:
        return f"{threading.active_count()} threads are running"
    return None
