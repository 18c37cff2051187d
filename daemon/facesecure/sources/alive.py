"""How a source shows that it is not stuck, though it may have no picture to give."""

from __future__ import annotations

import threading
import time

_SLICE = 1.0


class SignOfLife:
    """``at``: the ``time.monotonic()`` of the last sign. Given by the thread that reads the source, read by any."""

    def __init__(self) -> None:
        self.at = time.monotonic()

    def give(self) -> None:
        self.at = time.monotonic()

    def wait(self, stopped: threading.Event, seconds: float) -> bool:
        """``stopped.wait(seconds)``, with a sign every second: a pause is no hang, however long it is."""
        end = time.monotonic() + seconds
        while True:
            self.give()
            left = end - time.monotonic()
            if stopped.wait(min(_SLICE, max(0.0, left))):
                return True
            if left <= _SLICE:
                return False
