"""What every camera has in common: it should never end, it does get lost, and it comes back by itself."""

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


class Connection(Protocol):
    """One kind of camera: how to open it and read it until it is lost. Its ``str`` may be shown to anybody."""

    def pictures(self, stopped: threading.Event) -> Generator[FrameImage]:
        """Open, yield pictures, release when closed. Returns if ``stopped`` is set; raises SourceError on a loss."""

    def probe(self) -> ProbeResult:
        """Open, decode one picture, release. Raises SourceError."""


class LiveSource:
    """A camera as a Source. Every loss is followed by new attempts, with pauses that grow to ``reconnect_max`` seconds.

    Each new cause is logged once; ``trouble`` holds it until pictures come again, and ``on_trouble`` is called with
    it, and with None when it is over. With ``patient`` that holds from the first attempt on (a network camera may
    boot later than we do); without, the first failure to open is raised.
    """

    live = True

    def __init__(
        self, connection: Connection, reconnect_max: float, *, patient: bool, on_trouble: OnTrouble | None = None
    ) -> None:
        self._connection = connection
        self._reconnect_max = reconnect_max
        self._patient = patient
        self._stopped = threading.Event()
        self._sign = Heartbeat()
        self._troubles = OutageLog(str(connection), on_trouble)

    def __repr__(self) -> str:
        return f"LiveSource({self._connection})"

    @property
    def trouble(self) -> SourceError | None:
        """Why there are no pictures at the moment; None while they come."""
        return self._troubles.current

    @property
    def alive_at(self) -> float:
        """When this last gave a picture, began an attempt or waited for the next one, in ``time.monotonic()``."""
        return self._sign.at

    def stop(self) -> None:
        """End all iteration, for good; callable from any thread. A blocked read ends with its time-out."""
        self._stopped.set()

    def probe(self) -> ProbeResult:
        """Try once and tell. Raises SourceError."""
        return self._connection.probe()

    def frames(self) -> Generator[Frame]:
        """Frames for ever, across losses. Raises SourceError only if it never opened and is not ``patient``."""
        stamper, backoff, patient, seen = FrameClock(), Backoff(self._reconnect_max), self._patient, False
        while not self._stopped.is_set():
            self._sign.give()
            try:
                with closing(self._connection.pictures(self._stopped)) as pictures:
                    for picture in pictures:
                        if not seen:
                            seen = patient = True
                            log.info("%s gives pictures of %dx%d", self._connection, *picture.size)
                        backoff.reset()
                        self._troubles.over()
                        self._sign.give()
                        yield stamper.live(picture)
            except SourceError as trouble:
                if not patient:
                    raise
                self._troubles.met(trouble)
            self._sign.wait(self._stopped, backoff.pause())


log = logging.getLogger(__name__)


class OutageLog:
    """Keeps the present trouble of the source called ``name``, logs changes, and passes them on."""

    def __init__(self, name: str, on_change: Callable[[SourceError | None], None] | None = None) -> None:
        self._name = name
        self._on_change = on_change
        self._since = 0.0
        self.current: SourceError | None = None

    def met(self, trouble: SourceError) -> None:
        """Another failure. A cause that is already known goes to the debug log only."""
        known, self.current = self.current, trouble
        if known is None:
            self._since = time.monotonic()
        if known is not None and known.message == trouble.message:
            log.debug("still: %s", trouble.message)
            return
        log.warning("%s (%s)", trouble.message, trouble.hint or "no hint", extra={"source": self._name})
        if self._on_change is not None:
            self._on_change(trouble)

    def over(self) -> None:
        """Pictures come."""
        if self.current is None:
            return
        self.current = None
        log.info("%s is back after %.0f s", self._name, time.monotonic() - self._since, extra={"source": self._name})
        if self._on_change is not None:
            self._on_change(None)
