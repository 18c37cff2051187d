"""Tells the service manager that frames make progress, and stops telling it when they do not (sd_watchdog_enabled(3)).

Two things may hang. The pipeline: a frame taken and not finished; waiting for one is no work, so a quiet or absent
camera never counts. Capture: a thread with neither a picture nor a word from its source, which keeps giving signs of
life while it reconnects; so an unplugged camera is an outage to report and no reason to restart for ever. All times are
monotonic: a clock that jumps changes nothing. And something may leak, a plugin say, until no file can be opened.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol, Self

from facesecure.app.systemd import notify
from facesecure.domain import Frame
from facesecure.util.periodic import PeriodicTask, RunsPeriodically

_log = logging.getLogger(__name__)

Clock = Callable[[], float]
SPARE = 5.0
"""Seconds that opening a camera may take beyond its own time-outs."""


class Capture(Protocol):
    """What is needed of ``sources.capture.LatestFrame``."""

    @property
    def live(self) -> bool: ...

    @property
    def alive_at(self) -> float: ...

    def __iter__(self) -> Iterator[Frame]: ...


class Progress:
    """Frames on their way through the pipeline, and whether something holds them up."""

    def __init__(self, capture: Capture, timeout: float, patience: float, clock: Clock = time.monotonic) -> None:
        """``timeout``: the camera's own, seconds; connecting and the first picture take it once each.

        ``patience``: the longest that one frame may take, seconds.
        """
        self._capture = capture
        self._patience = patience
        self._silence = max(patience, 2 * timeout + SPARE)
        self._clock = clock
        self._since: float | None = None
        self._ended = False
        self.finished = 0

    def frames(self) -> Iterator[Frame]:
        """The frames of the capture, each followed until the next one is asked for. To be used once."""
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
        """What hangs, in words; None while all is well, or once the frames have ended. Any thread may ask."""
        now, since = self._clock(), self._since
        if self._ended:
            return None
        if since is not None and now - since > self._patience:
            return f"no frame was finished for {now - since:.0f} s"
        if self._capture.live and now - self._capture.alive_at > self._silence:
            return f"the camera's thread gave no sign of life for {now - self._capture.alive_at:.0f} s"
        return None

    def _wait(self) -> None:
        """A recording is read by the thread that asks for the next frame: there, waiting is work too."""
        self._since = None if self._capture.live else self._clock()


class Deadline:
    """Something that has to be done by then, such as starting anew."""

    def __init__(self, what: str, patience: float, clock: Clock = time.monotonic) -> None:
        self._what, self._patience, self._clock, self._since = what, patience, clock, clock()

    def stalled(self) -> str | None:
        took = self._clock() - self._since
        return f"{self._what} takes {took:.0f} s" if took > self._patience else None


class Watched(Protocol):
    def stalled(self) -> str | None:
        """What hangs; None while all is well."""


class Watchdog(RunsPeriodically):
    """The thread that speaks for ``watch``-ed work, between ``enter`` and ``exit``; none where nobody asked for it.

    When the work stalls it says so, and has the service manager end and restart us at once instead of in a while. When
    even this thread hangs, silence does the same.
    """

    def __init__(self, seconds: float | None = None, tell: Callable[..., None] = notify) -> None:
        """``seconds``: how often the service manager wants to hear of us; default: as it told us, None for never."""
        self.seconds = watchdog_seconds() if seconds is None else seconds
        self._tell = tell
        self._work: Watched | None = None
        self._task = PeriodicTask("watchdog", self._speak, (self.seconds or 0.0) / 4, first=0.0)

    def watch(self, work: Watched | None) -> None:
        """From now on speak for ``work``; None: for nothing but this thread's own life."""
        self._work = work

    def __enter__(self) -> Self:
        """Start the watchdog; without a watchdog interval do nothing."""
        if self.seconds is None:
            return self
        faulthandler.enable()  # systemd ends us with SIGABRT: the journal then shows where every thread was
        return super().__enter__()

    def _speak(self) -> None:
        stalled = used_up() or (None if self._work is None else self._work.stalled())
        if stalled is None:
            self._tell("WATCHDOG=1")
            return
        _log.critical("%s: something hangs or leaks, facesecure has to be restarted", stalled)
        self._tell(f"STATUS=hanging: {stalled}", "WATCHDOG=trigger")
        self._task.stop()


def watchdog_seconds() -> float | None:
    """What the unit's WatchdogSec asks of this very process; None where it asks nothing."""
    microseconds, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID")
    if not microseconds.isdecimal() or int(microseconds) == 0 or process not in (None, str(os.getpid())):
        return None
    return int(microseconds) / 1e6


SHARE = 0.9
"""Of the files that may be open. The rest is for what is needed to say so."""
THREADS = 1000
"""A daemon in good health has some twenty."""


def used_up() -> str | None:
    """What is nearly used up, in words; None while there is enough of everything. Costs less than a millisecond."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a Path for each would be thrown away
    except OSError:
        return f"not one more file can be opened, of {limit}"
    if files > SHARE * limit:
        return f"{files} of the {limit} files that may be open are"
    if threading.active_count() > THREADS:
        return f"{threading.active_count()} threads run"
    return None
