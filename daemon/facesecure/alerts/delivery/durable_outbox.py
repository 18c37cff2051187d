"""The outbox, for those who must not fail: what cannot be written now is said loudly, and written later."""

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

AGAIN_SECONDS = 5.0
LIMIT = 10_000
TRIES = 3
"""How often something is tried that fails by a mistake of ours: it must not keep for ever what comes after it."""

log = logging.getLogger(__name__)


class WriteResult(Enum):
    """What became of an alert that was to be written."""

    NOW = auto()
    BEFORE = auto()
    """It is there already: it was sent before."""
    OWED = auto()
    """It could not be written, and is tried again."""


@dataclass(slots=True)
class _Entry:
    what: str
    write: Callable[[], object]
    mistakes: int = 0


class DurableOutbox:
    """Never raises, whatever the disk does. Without an outbox nothing outlives the process, and nobody minds.

    After a failure everything queues here in its order, tried again at most every few seconds: a store that takes its
    time to fail delays no alarm twice.
    """

    def __init__(self, outbox: Outbox | None, again_seconds: float = AGAIN_SECONDS) -> None:
        self._outbox, self._again = outbox, again_seconds
        self._owed: deque[_Entry] = deque(maxlen=LIMIT)
        self._lock = threading.Lock()
        self._tried = 0.0

    @property
    def keeps(self) -> bool:
        """Whether what is undelivered is on the disk, for the next start."""
        return self._outbox is not None and not self._owed

    def write(self, alert: Alert, planned: Sequence[PlannedDelivery]) -> WriteResult:
        """Write ``alert`` and its deliveries."""
        outbox = self._outbox
        if outbox is None:
            return WriteResult.NOW
        new = list[bool]()
        if not self._do(_Entry(f"the alert {alert.text!r}", lambda: new.append(outbox.write(alert, planned)))):
            log.critical("%r is not on the disk and would be lost if facesecure stopped now; it is told", alert.text)
            return WriteResult.OWED
        return WriteResult.NOW if all(new) else WriteResult.BEFORE

    def mark(self, alert: Alert, channel: str, standing: DeliveryStatus) -> None:
        """Say how a delivery stands."""
        if (outbox := self._outbox) is not None:
            what = f"that {alert.text!r} is {standing.state} for {channel}"
            self._do(_Entry(what, lambda: outbox.mark(alert.identifier, channel, standing)))

    def pending(self) -> Sequence[AlertWithDeliveries]:
        """What an earlier run left undelivered; nothing where that cannot be read."""
        try:
            return [] if self._outbox is None else self._outbox.pending()
        except Exception as error:
            log.critical("alerts that an earlier run left behind cannot be read: %s", error, exc_info=_bug(error))
            return []

    def wake_at(self) -> float:
        """When to ``settle``, monotonic."""
        return self._tried + self._again if self._owed else float("inf")

    def retry_pending(self, *, now: bool = False) -> None:
        """Write what is owed, if it is time to try again or ``now``."""
        with self._lock:
            if self._owed and (now or time.monotonic() >= self.wake_at()):
                self._catch_up()

    def _do(self, entry: _Entry) -> bool:
        """Write ``entry`` after all that is owed; False if it is owed now itself."""
        with self._lock:
            wait = time.monotonic() < self.wake_at() < float("inf")
            self._owed.append(entry)
            return not wait and self._catch_up()

    def _catch_up(self) -> bool:
        late = len(self._owed) > 1
        while self._owed:
            entry = self._owed[0]
            try:
                entry.write()
            except Exception as error:
                self._tried = time.monotonic()
                entry.mistakes += _bug(error) is not None
                log.error("cannot write %s: %s", entry.what, error, exc_info=_bug(error))
                if entry.mistakes < TRIES:
                    return False
                log.critical("given up, after %d attempts to write %s", entry.mistakes, entry.what)
            self._owed.popleft()
        if late:
            log.warning("what could not be written about alerts has been written now")
        return True


def _bug(error: Exception) -> Exception | None:
    return None if isinstance(error, FacesecureError) else error
