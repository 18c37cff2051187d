"""Live sources: connect to a camera, read it until it is lost, report the outage, and reconnect.

``LiveSource`` reads any ``Connection``; ``outages`` logs the cause of an outage once, not with every attempt.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator
from contextlib import closing
from typing import Protocol

from facesecure.camera.sources.base import FrameClock, Heartbeat, LateImage, ProbeResult
from facesecure.camera.sources.outages import OnTrouble, Outage, OutageLog
from facesecure.domain import Frame, FrameImage
from facesecure.domain.errors import SourceError
from facesecure.util.backoff import Backoff

log = logging.getLogger(__name__)

DROPPED_PAUSE = 5.0
"""The longest pause in seconds after a stream that gave images: a camera that drops is watched as much as it allows."""


class Connection(Protocol):
    """Opens one kind of camera and reads it until it is lost. Its ``str`` holds no secret."""

    def images(self, stopped: threading.Event) -> Generator[FrameImage | LateImage | None]:
        """Open, yield images, release when closed. Return if ``stopped`` is set; raises SourceError on a loss.

        None in place of an image is a sign of life: something comes that gives no image yet, or is not decoded.
        """

    def probe(self) -> ProbeResult:
        """Open, decode one image, release. Raises SourceError."""


class LiveSource:
    """A camera as a Source: it never ends and reconnects after every loss, waiting up to ``reconnect_max`` seconds.

    Each new cause is logged once; ``trouble`` holds it until frames come again, ``outage`` until the stream has held
    for a while. ``on_trouble`` is called with it, and with None when the outage is over. With ``patient`` that holds
    from the first attempt on (a network camera may boot later than the daemon); without, the first failure to open is
    raised. ``replaying`` says that the latest frame was kept until now: all of them are wanted, not the newest alone.
    Example::

        source = LiveSource(StreamConnection(address, camera, open_rtsp), camera.reconnect_max, patient=True)
    """

    live = True

    def __init__(
        self, connection: Connection, reconnect_max: float, *, patient: bool, on_trouble: OnTrouble | None = None
    ) -> None:
        self.replaying = False
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
    def outage(self) -> Outage | None:
        """The outage that is not over yet, though frames may come; None while the stream holds."""
        return self._outages.outage

    @property
    def resting(self) -> bool:
        """Whether frames are left out now, since nothing moves."""
        return bool(getattr(self._connection, "resting", False))

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
        clock, backoff = FrameClock(), Backoff(self._reconnect_max)
        while not self._stopped.is_set():
            self._heartbeat.beat()
            before = clock.count
            try:
                yield from self._stream(clock, backoff)
            except SourceError as error:
                if not self._patient and clock.count == 0:
                    raise
                self._outages.failed(error)
            pause = backoff.pause()
            self._heartbeat.wait(self._stopped, min(pause, DROPPED_PAUSE) if clock.count > before else pause)

    def _stream(self, clock: FrameClock, backoff: Backoff) -> Generator[Frame]:
        """Connect once and yield frames until the connection ends. Raises SourceError when it is lost."""
        with closing(self._connection.images(self._stopped)) as images:
            for image in images:
                self._heartbeat.beat()
                if image is None:
                    continue
                if clock.count == 0:
                    size = (image.image if isinstance(image, LateImage) else image).size
                    log.info("%s delivers images of %dx%d", self._connection, *size)
                self._outages.frame_came()
                if self._outages.steady:
                    backoff.reset()
                self.replaying = isinstance(image, LateImage)
                yield clock.live(image)
