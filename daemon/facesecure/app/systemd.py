"""Tells systemd how we are: READY, STATUS, WATCHDOG, STOPPING (sd_notify(3)). Outside a service nobody is told."""

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
    """Send ``states`` ("READY=1", "STATUS=...") to the service manager that started us, if one did. Any thread may."""
    if not is_service():
        return
    daemon = _systemd()
    if daemon is None:
        return
    try:
        daemon.notify("\n".join(states))
    except OSError as error:
        _warn_once(f"the service manager does not listen: {error}")


def is_service() -> bool:
    """Whether a service manager wants to hear of us."""
    return bool(os.environ.get("NOTIFY_SOCKET"))


def _systemd() -> Any:
    """systemd-python's part for daemons; None where it is missing."""
    try:
        from systemd import daemon
    except ImportError:
        _warn_once("started as a service, but python3-systemd is not installed: cannot say that we are ready")
        return None
    return daemon


@cache
def _warn_once(message: str) -> None:
    """The watchdog would repeat it several times a minute."""
    _log.warning(message)


class Reporter(RunsPeriodically):
    """Keeps STATUS= true, in a thread of its own between ``enter`` and ``exit``: ``line`` may read the disk."""

    def __init__(self, line: Callable[[], str], tell: Callable[..., None] = notify, every: float = 5.0) -> None:
        """``every``: seconds between looks; what has not changed is not said again."""
        self._line, self._tell = line, tell
        self._said = ""
        self._task = PeriodicTask("status", self.report, every, first=0.0)

    def report(self) -> None:
        """Say how things stand, if that is new."""
        try:
            line = " ".join(self._line().split())
        except FacesecureError as error:
            line = f"watching, but: {error.message}"
        if line != self._said:
            self._said = line
            self._tell(f"STATUS={line}")

    def __enter__(self) -> Self:
        """Start the task; outside a service do nothing."""
        return super().__enter__() if is_service() else self
