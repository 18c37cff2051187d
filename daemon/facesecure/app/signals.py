"""Signals, heard by a thread of their own: at once, whatever the main thread is busy with or stuck in.

Python runs its handlers in the main thread, between two instructions: while that thread hangs in a driver they never
run, and whatever lock it holds they must not take. The wakeup descriptor has neither trouble (signal.set_wakeup_fd).
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """Calls ``hear`` with each SIGTERM, SIGINT and SIGHUP between ``listen`` and the end of ``with``, in turn.

    A second Ctrl-C raises KeyboardInterrupt in the main thread, as if we were not here. Only the main thread may catch
    signals: in any other, ``listen`` does nothing.
    """

    def __init__(self, hear: Callable[[int], None]) -> None:
        self._hear = hear
        self._handlers: dict[int, Any] = {}
        self._wakeup = -1
        self._thread = threading.Thread(target=self._listen, name="signals", daemon=True)

    def __enter__(self) -> Self:
        return self

    def listen(self) -> None:
        """Begin. Again: nothing happens."""
        if self._handlers or threading.current_thread() is not threading.main_thread():
            return
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._handlers = {number: signal.signal(number, _leave_to_thread) for number in HEARD}
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._handlers:
            return
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._write)  # ends the thread
        self._thread.join()
        os.close(self._read)

    def _listen(self) -> None:
        while heard := os.read(self._read, 1):
            if heard[0] in HEARD:
                self._hear(heard[0])


def _leave_to_thread(number: int, _: FrameType | None) -> None:
    if number == signal.SIGINT:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def has_terminal() -> bool:
    """Whether a terminal controls this process: then SIGHUP means that it was closed."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
