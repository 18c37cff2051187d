"""Capture the newest frame in a thread of its own, so that a slow pipeline drops frames and never queues them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from types import TracebackType
from typing import Self, cast

from facesecure.camera.pending_frames import PendingFrames
from facesecure.camera.sources.outages import Outage
from facesecure.domain import Frame
from facesecure.domain.errors import SourceError
from facesecure.domain.interfaces import Source

log = logging.getLogger(__name__)

JOIN_SECONDS = 2.0
"""Seconds to wait for the capture thread on leaving. It is a daemon thread: one stuck in a driver is left behind."""

MOST_RENEWALS = 5
"""Capture threads that may be left behind in a driver; each keeps its memory until the daemon ends."""

_SMOOTHING = 0.1
"""Weight of the latest interval in the mean that gives the frame rate."""


class LatestFrame:
    """Iterates over the newest frames of ``source``; used once, in a ``with`` block.

    A live source (``source.live``; without that attribute it counts as live) runs in a thread, and the reader gets
    the newest frame each time; ``dropped`` counts those it missed. Frames that the source kept until something moved
    (``source.replaying``) are handed over one after the other. A recording runs in the reader's own thread:
    nothing is dropped and runs repeat exactly. An exception of the source is raised in the reader; the source's
    end ends the iteration. Leaving releases the source within two seconds, even if it is stuck, and for good where
    it is live. Example::

        with LatestFrame(source) as frames:
            for frame in frames:
                ...
    """

    def __init__(self, source: Source, reopen: Callable[[], Source] | None = None) -> None:
        """``reopen`` makes another source of the same camera, for ``renew``."""
        self._last: float | None = None
        self._interval = 0.0
        self._sparse = False
        self._began = time.monotonic()
        self._source, self._reopen = source, reopen
        self._renewals = 0
        self._live = bool(getattr(source, "live", True))
        self._stopping = threading.Event()
        self._changed = threading.Condition()  # its RLock lets a signal handler call stop()
        self._pending = PendingFrames(self._changed)
        self._error: BaseException | None = None
        self._ended = False
        self._thread = self._capturing()
        self._recording: Generator[Frame] | None = None

    def __enter__(self) -> Self:
        if self._live:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._recording is not None:
            self._recording.close()
        if self._live:
            self._thread.join(JOIN_SECONDS)
            if self._thread.is_alive():
                log.warning("%r does not stop; it is left to end with its own time-out", self._source)

    def __iter__(self) -> Iterator[Frame]:
        return self._newest_frames() if self._live else self._every_frame()

    @property
    def dropped(self) -> int:
        """Return how many frames the reader missed."""
        return self._pending.dropped

    @property
    def live(self) -> bool:
        """Return whether capture runs in a thread of its own."""
        return self._live

    @property
    def alive_at(self) -> float:
        """The last sign that capture is not stuck, in ``time.monotonic()``: a frame, or the source's heartbeat."""
        signs = (self._began, self._last, getattr(self._source, "alive_at", None))
        return max(sign for sign in signs if sign is not None)

    @property
    def heartbeat(self) -> float | None:
        """When the camera gave its last frame, even one that was not decoded, in ``time.monotonic()``; None before."""
        if self._last is not None and _is(self._source, "resting"):
            return self.alive_at
        return self._last

    @property
    def rate(self) -> float | None:
        """Frames a second when all were decoded last, those that were dropped included; None before the second."""
        return 1 / self._interval if self._interval else None

    @property
    def trouble(self) -> SourceError | None:
        """The source's error that keeps frames from coming now, if it reports one; None while they come."""
        trouble = getattr(self._source, "trouble", None)
        return trouble if isinstance(trouble, SourceError) else None

    @property
    def outage(self) -> Outage | None:
        """The source's outage that is not over, though frames may come again, if it reports one."""
        outage = getattr(self._source, "outage", None)
        return outage if isinstance(outage, Outage) else None

    def renew(self) -> bool:
        """Leave a capture thread that is stuck to itself, and capture from another source. Return whether it did.

        It does not without ``reopen``, once stopped, and after ``MOST_RENEWALS``. Callable from any thread.
        """
        if self._reopen is None or self._stopping.is_set() or self._renewals >= MOST_RENEWALS:
            return False
        getattr(self._source, "stop", _nothing)()
        with self._changed:
            self._source, self._renewals, self._began = self._reopen(), self._renewals + 1, time.monotonic()
            self._thread = self._capturing()
        log.error("%r gives no sign of life and is opened anew", self._source)
        self._thread.start()
        return True

    def stop(self) -> None:
        """End the iteration soon. Callable from any thread and from a signal handler."""
        self._stopping.set()
        if self._live:
            getattr(self._source, "stop", _nothing)()
        with self._changed:
            self._pending.clear()
            self._changed.notify_all()

    def _every_frame(self) -> Iterator[Frame]:
        self._recording = cast("Generator[Frame]", self._source.frames())
        with closing(self._recording) as recording:
            for frame in recording:
                self._beat()
                yield frame
                if self._stopping.is_set():
                    return

    def _newest_frames(self) -> Iterator[Frame]:
        while (frame := self._take()) is not None:
            yield frame

    def _beat(self) -> None:
        """Note that a frame has come. Where frames are left out, their distance says nothing of the camera."""
        before, self._last = self._last, time.monotonic()
        sparse, self._sparse = self._sparse, _is(self._source, "resting") or _is(self._source, "replaying")
        if before is not None and not sparse and not self._sparse:
            elapsed = self._last - before
            self._interval += (elapsed - self._interval) * (_SMOOTHING if self._interval else 1.0)

    def _take(self) -> Frame | None:
        """Wait for the newest frame not yet taken, and return it; None at the end. Raises the source's error."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._ended or self._stopping.is_set())
            frame = self._pending.take()
            if self._stopping.is_set():
                return None
            if frame is None and self._error is not None:
                raise self._error
            return frame

    def _capturing(self) -> threading.Thread:
        """Return the thread that captures the present source."""
        return threading.Thread(target=self._capture, args=(self._source,), name="capture", daemon=True)

    def _capture(self, source: Source) -> None:
        error: BaseException | None = None
        try:
            with closing(cast("Generator[Frame]", source.frames())) as frames:
                for frame in frames:
                    if self._stopping.is_set() or not self._hand_over(source, frame):
                        break
        except BaseException as raised:  # noqa: BLE001  (it is raised again in the reader's thread)
            error = raised
        with self._changed:
            if source is self._source:
                self._ended, self._error = True, error
            self._changed.notify_all()

    def _hand_over(self, source: Source, frame: Frame) -> bool:
        """Give ``frame`` to the reader, unless another source has taken the place of its own. Return whether it did."""
        with self._changed:
            if source is not self._source:
                return False
            self._beat()
            self._changed.notify_all()
            self._pending.put(frame, replaying=_is(self._source, "replaying"))
            self._changed.notify_all()
            return True


def _is(source: Source, state: str) -> bool:
    """Return whether ``source`` has such a state, and is in it."""
    return bool(getattr(source, state, False))


def _nothing() -> None:
    """Do nothing, for a source without ``stop``: iteration ends after its next frame."""
