"""The outbox with its failures handled: a failed write is logged and repeated, and never raised to the sender."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from facesecure.domain import Alert
from facesecure.domain.deliveries import AlertWithDeliveries, DeliveryStatus, Outbox, PlannedDelivery
from facesecure.domain.errors import FacesecureError

RETRY_SECONDS = 5.0
LIMIT = 10_000
MAX_PROGRAM_ERRORS = 3
"""Attempts at a write that fails by an error in the program: it must not block the writes behind it for ever."""

log = logging.getLogger(__name__)


class WriteResult(Enum):
    """The result of writing an alert."""

    NOW = auto()
    BEFORE = auto()
    """It was in the outbox already: it was sent before."""
    OWED = auto()
    """The write failed and is retried."""


@dataclass(slots=True)
class _Entry:
    what: str
    write: Callable[[], object]
    program_errors: int = 0


class DurableOutbox:
    """An outbox that never raises. Without an outbox behind it, undelivered alerts are lost when the process ends.

    After a failure all writes are queued here in order and retried at most every few seconds, so that a store that
    takes long to fail delays only one alert. Example::

        outbox = DurableOutbox(store.outbox)
        outbox.write(alert, [PlannedDelivery("log", expires_at)])
        outbox.retry_pending()
    """

    def __init__(self, outbox: Outbox | None, retry_seconds: float = RETRY_SECONDS) -> None:
        """``retry_seconds``: the shortest time between two attempts after a failure."""
        self._outbox, self._retry_seconds = outbox, retry_seconds
        self._pending: deque[_Entry] = deque(maxlen=LIMIT)
        self._lock = threading.Lock()
        self._tried = 0.0

    @property
    def keeps(self) -> bool:
        """True if undelivered alerts are on the disk for the next start."""
        return self._outbox is not None and not self._pending

    def write(self, alert: Alert, planned: Sequence[PlannedDelivery]) -> WriteResult:
        """Write ``alert`` and its deliveries."""
        outbox = self._outbox
        if outbox is None:
            return WriteResult.NOW
        new = list[bool]()
        if not self._do(_Entry(f"the alert {alert.text!r}", lambda: new.append(outbox.write(alert, planned)))):
            log.critical("%r is not on the disk and would be lost if facesecure stopped now; sending it", alert.text)
            return WriteResult.OWED
        return WriteResult.NOW if all(new) else WriteResult.BEFORE

    def mark(self, alert: Alert, channel: str, status: DeliveryStatus) -> None:
        """Record the status of the delivery of ``alert`` to ``channel``."""
        if (outbox := self._outbox) is not None:
            what = f"that {alert.text!r} is {status.state} for {channel}"
            self._do(_Entry(what, lambda: outbox.mark(alert.identifier, channel, status)))

    def pending(self) -> Sequence[AlertWithDeliveries]:
        """Return what an earlier run left undelivered; nothing if that cannot be read."""
        try:
            return [] if self._outbox is None else self._outbox.pending()
        except Exception as error:
            log.critical("cannot read the alerts that an earlier run left: %s", error, exc_info=_unexpected(error))
            return []

    def wake_at(self) -> float:
        """Return when ``retry_pending`` is due, monotonic; infinity if nothing is pending."""
        return self._tried + self._retry_seconds if self._pending else float("inf")

    def retry_pending(self, *, now: bool = False) -> None:
        """Repeat failed writes if it is time for that, or at once with ``now``."""
        with self._lock:
            if self._pending and (now or time.monotonic() >= self.wake_at()):
                self._write_pending()

    def _do(self, entry: _Entry) -> bool:
        """Write ``entry`` after all that is pending. Returns False if it is pending now itself."""
        with self._lock:
            wait = time.monotonic() < self.wake_at() < float("inf")
            self._pending.append(entry)
            return not wait and self._write_pending()

    def _write_pending(self) -> bool:
        late = len(self._pending) > 1
        while self._pending:
            entry = self._pending[0]
            try:
                entry.write()
            except Exception as error:
                self._tried = time.monotonic()
                entry.program_errors += _unexpected(error) is not None
                log.error("cannot write %s: %s", entry.what, error, exc_info=_unexpected(error))
                if entry.program_errors < MAX_PROGRAM_ERRORS:
                    return False
                log.critical("given up after %d attempts to write %s", entry.program_errors, entry.what)
            self._pending.popleft()
        if late:
            log.warning("everything about alerts that could not be written before is written now")
        return True


def _unexpected(error: Exception) -> Exception | None:
    """Return ``error`` if it is an error in the program, whose traceback belongs in the log."""
    return None if isinstance(error, FacesecureError) else error
