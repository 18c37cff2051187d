"""Run a function at a fixed interval on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class PeriodicTask:
    """A daemon thread that calls ``run`` every ``interval`` seconds from ``start`` until ``stop``.

    A task can be started once. An exception from ``run`` ends the thread, so a ``run`` that must not miss its next
    call has to catch its own errors. Example::

        task = PeriodicTask("housekeeping", prune, interval=3600.0, first=60.0)
        task.start()
        ...
        task.stop()
    """

    def __init__(
        self,
        name: str,
        run: Callable[[], object],
        interval: float,
        *,
        first: float | None = None,
        join_timeout: float = 1.0,
    ) -> None:
        """Name the thread ``name``.

        ``first``: seconds before the first call, if different from ``interval``. ``join_timeout``: seconds that
        ``stop`` waits for a call in progress; one that hangs is left to the daemon thread.
        """
        self._function, self._interval, self._join_timeout = run, interval, join_timeout
        self._first = interval if first is None else first
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Prevent further calls and wait for the thread to end.

        Returns at once if the task was never started, or if ``run`` itself calls this.
        """
        self._stopping.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(self._join_timeout)

    def _loop(self) -> None:
        pause = self._first
        while not self._stopping.wait(pause):
            self._function()
            pause = self._interval


class RunsPeriodically:
    """Mixin for a class whose ``with`` block starts and stops a PeriodicTask.

    The subclass assigns ``self._task`` in its constructor. Example::

        class Reporter(RunsPeriodically):
            def __init__(self) -> None:
                self._task = PeriodicTask("status", self.report, 5.0)
    """

    _task: PeriodicTask

    def __enter__(self) -> Self:
        """Start the task."""
        self._task.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the task; does nothing if it was never started."""
        self._task.stop()
