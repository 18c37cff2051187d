"""The fake AlertPlugin, for tests and the demo: it records alerts and delivers them to no one."""

from __future__ import annotations

import threading

from facesecure.alerts.plugins.api import PluginConfig
from facesecure.domain import Alert


class RecordingPlugin:
    """Record the alerts that were sent, in order. Fulfils the plugin contract, but has no entry point.

    Example::

        recorder = RecordingPlugin()
        with Dispatcher({"recorder": recorder}) as dispatcher:
            dispatcher.send(alert)
            assert recorder.wait_for(1) == [alert]
    """

    def __init__(self, config: PluginConfig | None = None) -> None:
        """Begin without alerts."""
        self.config = config or PluginConfig()
        self.closed = False
        self._alerts: list[Alert] = []
        self._arrived = threading.Condition()

    @property
    def alerts(self) -> list[Alert]:
        """A copy of the alerts so far."""
        with self._arrived:
            return list(self._alerts)

    def send(self, alert: Alert) -> None:
        """Record ``alert``."""
        with self._arrived:
            self._alerts.append(alert)
            self._arrived.notify_all()

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    def wait_for(self, count: int, timeout: float = 30.0) -> list[Alert]:
        """Wait for ``count`` alerts and return all. Raises TimeoutError after ``timeout`` seconds."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._alerts) >= count, timeout):
                raise TimeoutError(f"{len(self._alerts)} of {count} alerts came within {timeout:g} s")
            return list(self._alerts)
