"""Hands every alert to every plugin and never waits for any of them.

Each plugin has its own thread and short queue (``worker``). A hung speaker delays neither the next frame nor the
log; when its queue is full the oldest alert is dropped, counted, and said aloud in the log.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from types import TracebackType

from facesecure.alerts.worker import Report, Worker
from facesecure.domain import Alert
from facesecure.stages import AlertPlugin

CAPACITY = 32
CLOSE_SECONDS = 5.0

log = logging.getLogger(__name__)


class Dispatcher:
    """Started by ``start`` or ``with``; ``close`` (or the end of ``with``) sends what is waiting, for a while."""

    def __init__(
        self, plugins: Mapping[str, AlertPlugin], *, capacity: int = CAPACITY, close_seconds: float = CLOSE_SECONDS
    ) -> None:
        """``capacity``: alerts that may wait for each plugin. ``close_seconds``: how long the end of ``with`` waits."""
        self._workers = [Worker(name, plugin, capacity) for name, plugin in plugins.items()]
        self._close_seconds = close_seconds
        self._closed = False

    def start(self) -> None:
        for worker in self._workers:
            worker.start()

    def send(self, alert: Alert) -> None:
        """Hand ``alert`` to every plugin. Returns at once and never raises; any thread may call."""
        if self._closed:
            log.error("not sent, facesecure is stopping: %r", alert.text)
            return
        for worker in self._workers:
            worker.offer(alert)

    def close(self, timeout: float | None = None) -> dict[str, list[Alert]]:
        """Let the plugins send what waits, at most ``timeout`` seconds for all together, and close them.

        Returns what was not sent, by plugin, and logs each. A plugin that hangs is left behind on its thread, which
        does not keep the process alive. Again: nothing happens.
        """
        if self._closed:
            return {}
        self._closed = True
        deadline = time.monotonic() + (self._close_seconds if timeout is None else timeout)
        for worker in self._workers:
            worker.finish()
        unsent = {worker.name: alerts for worker in self._workers if (alerts := worker.join(deadline))}
        for name, alerts in unsent.items():
            for alert in alerts:
                log.error("plugin %s did not finish in time; not sent: %r", name, alert.text)
        return unsent

    def reports(self) -> list[Report]:
        """How each plugin fares, in the order they were given."""
        return [worker.report() for worker in self._workers]

    def __enter__(self) -> Dispatcher:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
