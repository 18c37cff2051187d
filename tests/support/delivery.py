"""A dispatcher that is given time: to end at its leisure, and on a clock that a test puts forward."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from facesecure.alerts.delivery import dispatcher
from facesecure.alerts.delivery.dispatcher import Dispatcher
from support.faults.household import wait_until

AT_LEISURE = 60.0
"""Seconds that a dispatcher has to end: what is ready is sent, however long the machine pauses meanwhile."""


def end_at_leisure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let dispatchers that are told nothing else send what is ready when they end, on a slow machine too."""
    defaults = {**(Dispatcher.__init__.__kwdefaults__ or {}), "close_seconds": AT_LEISURE}
    monkeypatch.setattr(Dispatcher.__init__, "__kwdefaults__", defaults)


class SkippedTime:
    """Stands for the module ``time`` in the dispatcher: a clock that runs, and is put forward by ``skip``.

    So a limit may be too long for any pause of the machine to reach it, and a test need not wait until it is over.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead = 0.0
        monkeypatch.setattr(dispatcher, "time", self)

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    def skip(self, seconds: float) -> None:
        """Let the dispatcher's clock be so much ahead of the machine's."""
        self._ahead = seconds


def eventually(come_true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something is so; the time only ends a test that would hang."""
    wait_until(come_true, "what has to come true", seconds, 0.005)


def plugins_have_ended() -> bool:
    """Return whether the threads of all plugins have ended, also of one that a dispatcher has abandoned."""
    return not [thread for thread in threading.enumerate() if thread.name.startswith("plugin-")]
