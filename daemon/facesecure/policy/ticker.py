"""The policy's sense of time passing: what is due though nothing happens is sent, and what was told is written down."""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Protocol

from facesecure.domain import Alert
from facesecure.policy.deciding import Policy

_log = logging.getLogger(__name__)


class Alerts(Protocol):
    """Where alerts go (``alerts.dispatcher.Dispatcher``)."""

    def send(self, alert: Alert) -> None: ...


class Ticker:
    """A thread that asks ``policy`` every so many seconds, between ``enter`` and ``exit``."""

    def __init__(self, policy: Policy, alerts: Alerts, every: float = 1.0) -> None:
        self._policy, self._alerts, self._every = policy, alerts, every
        self._stopping = threading.Event()
        self._complained = False
        self._thread = threading.Thread(target=self._work, name="policy", daemon=True)

    def __enter__(self) -> Ticker:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(2.0)
        self._policy.save(at_once=True)

    def _work(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                for alert in self._policy.overdue():
                    self._alerts.send(alert)
                self._policy.save()
            except Exception:  # noqa: BLE001 - a thread that ends here never tells again that the camera is back
                _log.log(
                    logging.DEBUG if self._complained else logging.ERROR, "a mistake of the policy's", exc_info=True
                )
                self._complained = True
