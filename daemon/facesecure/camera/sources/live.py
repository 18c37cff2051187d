"""Live sources: connect to a camera, read it until it is lost, report the outage, and reconnect.

``LiveSource`` reads any ``Connection``; ``OutageLog`` logs the cause of an outage once, not with every attempt.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Protocol

from facesecure.camera.sources.base import FrameClock, Heartbeat, ProbeResult
from facesecure.domain import Frame, FrameImage
from facesecure.domain.errors import SourceError
from facesecure.util.backoff import Backoff

log = logging.getLogger(__name__)

OnTrouble = Callable[[SourceError | None], None]
"""Receives the error of an outage when it begins or its cause changes, and None when it is over."""


class Connection(Protocol):
    """Opens one kind of camera and reads it until it is lost. Its ``str`` holds no secret."""

    def images(self, stopped: threading.Event) -> Generator[FrameImage | None]:
        """Open, yield images, release when closed. Return if ``stopped`` is set; raises SourceError on a loss.

        None in place of an image is a sign of life: something comes that gives no image yet.
        """

    def probe(self) -> ProbeResult:
        """Open, decode one image, release. Raises SourceError."""


class OutageLog:
    """Holds the current outage of a live source, logs each new cause once, and reports changes.

    ``current`` is the error, None while frames come.
    """

    def __init__(self, name: str, on_change: Callable[[SourceError | None], None] | None = None) -> None:
        """``name`` is for the log; ``on_change`` is called with each new error, and with None when it is over."""
        self._name = name
        self._on_change = on_change
        self._since = 0.0
        self.current: SourceError | None = None

    def failed(self, trouble: SourceError) -> None:
        """Record a failure. A cause that is already known goes to the debug log only."""
        known, self.current = self.current, trouble
        if known is None:
            self._since = time.monotonic()
        if known is not None and known.message == trouble.message:
            log.debug("still failing: %s", trouble.message)
            return
        log.warning("%s (%s)", trouble.message, trouble.hint or "no hint", extra={"source": self._name})
        if self._on_change is not None:
            self._on_change(trouble)

    def recovered(self) -> None:
        """Record that frames come again."""
        if self.current is None:
            return
        self.current = None
        log.info("%s is back after %.0f s", self._name, time.monotonic() - self._since, extra={"source": self._name})
        if self._on_change is not None:
            self._on_change(None)


class LiveSource:
    """A camera as a Source: it never ends and reconnects after every loss, waiting up to ``reconnect_max`` seconds.

    Each new cause is logged once; ``trouble`` holds it until frames come again, and ``on_trouble`` is called with
    it, and with None when it is over. With ``patient`` that holds from the first attempt on (a network camera may
    boot later than the daemon); without, the first failure to open is raised. Example::

        source = LiveSource(StreamConnection(address, camera, open_rtsp), camera.reconnect_max, patient=True)
    """

    live = True

    def __init__(
        self, connection: Connection, reconnect_max: float, *, patient: bool, on_trouble: OnTrouble | None = None
    ) -> None:
        self._connection = connection
        self._reconnect_max = reconnect_max
        self._patient = patient
        self._stopped = threading.Event()
        self._heartbeat = Heartbeat()
        self._outages = OutageLog(str(connection), on_trouble)

    def __repr__(self) -> str:
        return f"LiveSource({self._connection})"

    @property
    def trouble(self) -> SourceError | None:
        """The error that keeps frames from coming now; None while they come."""
        return self._outages.current

    @property
    def alive_at(self) -> float:
        """When this last gave a frame, began an attempt or waited for the next, in ``time.monotonic()``."""
        return self._heartbeat.at

    def stop(self) -> None:
        """End all iteration, for good; callable from any thread. A blocked read ends with its time-out."""
        self._stopped.set()

    def probe(self) -> ProbeResult:
        """Open once, read one image, close. Raises SourceError."""
        return self._connection.probe()

    def frames(self) -> Generator[Frame]:
        """Yield frames for ever, across losses. Raises SourceError only if it never opened and is not ``patient``."""
        clock, backoff, patient, seen = FrameClock(), Backoff(self._reconnect_max), self._patient, False
        while not self._stopped.is_set():
            self._heartbeat.beat()
            try:
                with closing(self._connection.images(self._stopped)) as images:
                    for image in images:
                        self._heartbeat.beat()
                        if image is None:
                            continue
                        if not seen:
                            seen = patient = True
                            log.info("%s delivers images of %dx%d", self._connection, *image.size)
                        backoff.reset()
                        self._outages.recovered()
                        yield clock.live(image)
            except SourceError as error:
                if not patient:
                    raise
                self._outages.failed(error)
            self._heartbeat.wait(self._stopped, backoff.pause())
