"""Handle signals on a separate thread: at once, whatever the main thread is doing or stuck in.

Python runs signal handlers in the main thread, between two instructions: while that thread hangs in a driver they do
not run, and they must not take a lock that it holds. The wakeup descriptor avoids both (signal.set_wakeup_fd).
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """Calls ``handle`` with each SIGTERM, SIGINT and SIGHUP, one after another, from ``listen`` to the end of ``with``.

    A second Ctrl-C raises KeyboardInterrupt in the main thread, as usual. Only the main thread can catch signals: in
    any other, ``listen`` does nothing. Example::

        with Signals(lambda number: stop.set()) as signals:
            signals.listen()
            stop.wait()
    """

    def __init__(self, handle: Callable[[int], None]) -> None:
        """``handle`` runs on the signal thread, and may take locks."""
        self._handle = handle
        self._handlers: dict[int, Any] = {}
        self._wakeup = -1
        self._thread = threading.Thread(target=self._listen, name="signals", daemon=True)

    def __enter__(self) -> Self:
        """Return this object; signals are caught from ``listen`` on."""
        return self

    def listen(self) -> None:
        """Start catching signals; does nothing if already started."""
        if self._handlers or threading.current_thread() is not threading.main_thread():
            return
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._handlers = {number: signal.signal(number, _leave_to_thread) for number in HANDLED}
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Restore the handlers that were installed before, and stop the thread."""
        if not self._handlers:
            return
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._write)  # ends the thread
        self._thread.join()
        os.close(self._read)

    def _listen(self) -> None:
        while received := os.read(self._read, 1):
            if received[0] in HANDLED:
                self._handle(received[0])


def _leave_to_thread(number: int, _: FrameType | None) -> None:
    if number == signal.SIGINT:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def has_terminal() -> bool:
    """Return whether a terminal controls this process; SIGHUP then means that it was closed."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
