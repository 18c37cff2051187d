"""The shipped fake of ``stages.AlertPlugin``: it remembers, for tests and the demo, and tells nobody."""

from __future__ import annotations

import threading

from facesecure.alerts.plugins.api import PluginConfig
from facesecure.domain import Alert


class RecordingPlugin:
    """Keeps the alerts it was sent, in order. A fake: not found by the registry, but held to the plugins' contract."""

    def __init__(self, config: PluginConfig | None = None) -> None:
        self.config = config or PluginConfig()
        self.closed = False
        self._alerts: list[Alert] = []
        self._arrived = threading.Condition()

    @property
    def alerts(self) -> list[Alert]:
        """A copy of what came so far."""
        with self._arrived:
            return list(self._alerts)

    def send(self, alert: Alert) -> None:
        with self._arrived:
            self._alerts.append(alert)
            self._arrived.notify_all()

    def close(self) -> None:
        self.closed = True

    def wait_for(self, count: int, timeout: float = 5.0) -> list[Alert]:
        """Wait until ``count`` alerts are there and return all. Raises TimeoutError, saying how many came."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._alerts) >= count, timeout):
                raise TimeoutError(f"{len(self._alerts)} of {count} alerts came within {timeout:g} s")
            return list(self._alerts)
