"""One plugin's queue and thread: what it does to itself, it does to nobody else."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass

from facesecure.alerts.plugin import Closes
from facesecure.domain import Alert
from facesecure.errors import FacesecureError
from facesecure.stages import AlertPlugin

SLOW_SECONDS = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """How one plugin fares: alerts delivered, failed, dropped unsent, waiting; seconds the present one takes so far."""

    name: str
    sent: int
    failed: int
    dropped: int
    waiting: int
    busy_seconds: float
    last_error: str


class Worker:
    """Feeds one plugin, one alert at a time, from a queue of at most ``capacity``; the oldest goes when it is full."""

    def __init__(self, name: str, plugin: AlertPlugin, capacity: int) -> None:
        self.name = name
        self._plugin, self._capacity = plugin, capacity
        self._queue: deque[Alert] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._current: Alert | None = None
        self._since = 0.0
        self._sent = self._failed = self._dropped = 0
        self._last_error = ""
        self._thread = threading.Thread(target=self._work, name=f"plugin-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def offer(self, alert: Alert) -> None:
        """Queue ``alert`` and return at once; says so where an older one had to go for it, or the plugin hangs."""
        with self._changed:
            oldest = self._queue.popleft() if len(self._queue) >= self._capacity else None
            self._dropped += oldest is not None
            self._queue.append(alert)
            self._changed.notify()
        self._complain(oldest)

    def finish(self) -> None:
        """Let the thread end once its queue is empty."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def join(self, deadline: float) -> list[Alert]:
        """Wait for that until ``deadline`` (monotonic); then give up. Returns what was not sent, oldest first."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        with self._changed:
            unsent = ([] if self._current is None else [self._current]) + list(self._queue)
            self._queue.clear()
        return unsent

    def report(self) -> Report:
        with self._changed:
            busy = 0.0 if self._current is None else time.monotonic() - self._since
            counts = (self._sent, self._failed, self._dropped, len(self._queue))
            return Report(self.name, *counts, busy, self._last_error)

    def _complain(self, oldest: Alert | None) -> None:
        report = self.report()
        if oldest is not None:
            message = "plugin %s is too slow and its queue is full: not sent: %r (%d dropped so far)"
            log.error(message, self.name, oldest.text, report.dropped)
        elif report.busy_seconds > SLOW_SECONDS:
            log.warning("plugin %s has been busy with one alert for %.0f s", self.name, report.busy_seconds)

    def _work(self) -> None:
        while (alert := self._next()) is not None:
            error = self._deliver(alert)
            with self._changed:
                self._current = None
                self._sent += error is None
                self._failed += error is not None
                self._last_error = "" if error is None else str(error) or type(error).__name__
        self._close()

    def _next(self) -> Alert | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            if not self._queue:
                return None
            self._current, self._since = self._queue.popleft(), time.monotonic()
            return self._current

    def _deliver(self, alert: Alert) -> BaseException | None:
        try:
            self._plugin.send(alert)
        except (Exception, SystemExit) as error:
            bug = None if isinstance(error, FacesecureError) else error
            log.error("plugin %s failed to send %r: %s", self.name, alert.text, error, exc_info=bug)
            return error
        return None

    def _close(self) -> None:
        try:
            if isinstance(self._plugin, Closes):
                self._plugin.close()
        except (Exception, SystemExit):
            log.exception("plugin %s failed to close", self.name)
