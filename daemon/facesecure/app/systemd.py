"""Report the daemon's state to systemd: READY, STATUS, WATCHDOG, STOPPING (sd_notify(3)); does nothing elsewhere."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import cache
from typing import Any, Self

from facesecure.domain.errors import FacesecureError
from facesecure.util.periodic import PeriodicTask, RunsPeriodically

_log = logging.getLogger(__name__)


def notify(*states: str) -> None:
    """Send ``states`` ("READY=1", "STATUS=...") to the service manager that started this process, if any.

    Thread-safe. Failures are logged once.
    """
    if not is_service():
        return
    daemon = _systemd()
    if daemon is None:
        return
    try:
        daemon.notify("\n".join(states))
    except OSError as error:
        _warn_once(f"the service manager cannot be notified: {error}")


def is_service() -> bool:
    """Return whether a service manager expects notifications from this process."""
    return bool(os.environ.get("NOTIFY_SOCKET"))


def _systemd() -> Any:
    """Return the ``daemon`` module of systemd-python, or None if it is not installed."""
    try:
        from systemd import daemon
    except ImportError:
        _warn_once("started as a service, but python3-systemd is not installed: cannot report that it is ready")
        return None
    return daemon


@cache
def _warn_once(message: str) -> None:
    """Log ``message`` the first time only: the watchdog notifies several times a minute."""
    _log.warning(message)


class Reporter(RunsPeriodically):
    """Keeps systemd's STATUS= up to date from a thread of its own, since ``line`` may read the disk.

    Example::

        with Reporter(lambda: "watching"):
            ...
    """

    def __init__(self, line: Callable[[], str], send: Callable[..., None] = notify, interval: float = 5.0) -> None:
        """Call ``line`` every ``interval`` seconds, and ``send`` its result if it has changed."""
        self._line, self._send = line, send
        self._sent = ""
        self._task = PeriodicTask("status", self.report, interval, first=0.0)

    def report(self) -> None:
        """Send the status line if it has changed."""
        try:
            line = " ".join(self._line().split())
        except FacesecureError as error:
            _log.warning("the state cannot be read: %s", error.message)
            line = "watching, but its state cannot be read: see the journal"
        if line != self._sent:
            self._sent = line
            self._send(f"STATUS={line}")

    def __enter__(self) -> Self:
        """Start the task; outside a service do nothing."""
        return super().__enter__() if is_service() else self
