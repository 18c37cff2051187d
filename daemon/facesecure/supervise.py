"""Tells systemd how we are: READY, STATUS, STOPPING (sd_notify(3)). Outside a service it says nothing to nobody."""

from __future__ import annotations

import logging
import os

_log = logging.getLogger(__name__)


def notify(*states: str) -> None:
    """Send ``states`` ("READY=1", "STATUS=...") to the service manager that started us, if one did."""
    if not os.environ.get("NOTIFY_SOCKET"):
        return
    try:
        from systemd import daemon
    except ImportError:
        _log.warning("started as a service, but python3-systemd is not installed: cannot say that we are ready")
        return
    try:
        daemon.notify("\n".join(states))
    except OSError as error:
        _log.warning("the service manager does not listen: %s", error)
