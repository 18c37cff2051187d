"""Cut what does not end in time, by one thread for all: a thread for each statement costs more than the statement."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count


class Deadlines:
    """Calls what is to be done about each block that lasts too long. Thread-safe.

    Example::

        deadlines = Deadlines()
        with deadlines.within(30.0, connection.cut):
            connection.execute("SELECT 1")
    """

    def __init__(self) -> None:
        """Begin no thread before the first block."""
        self._changed = threading.Condition()
        self._numbers = count()
        self._blocks: dict[int, tuple[float, Callable[[], None]]] = {}
        self._next_look = float("inf")
        self._thread: threading.Thread | None = None

    @contextmanager
    def within(self, seconds: float, late: Callable[[], None]) -> Iterator[None]:
        """Call ``late`` on another thread if the block lasts longer than ``seconds``; never after its end.

        It must not wait: meanwhile no other block begins or ends.
        """
        number = self._add(time.monotonic() + seconds, late)
        try:
            yield
        finally:
            with self._changed:
                self._blocks.pop(number, None)

    def _add(self, deadline: float, late: Callable[[], None]) -> int:
        with self._changed:
            number = next(self._numbers)
            self._blocks[number] = deadline, late
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="hub-deadlines", daemon=True)
                self._thread.start()
            if deadline < self._next_look:
                self._next_look = deadline
                self._changed.notify()
        return number

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for number in [number for number, (deadline, _) in self._blocks.items() if deadline <= now]:
                    _, late = self._blocks.pop(number)
                    late()
                self._next_look = min((deadline for deadline, _ in self._blocks.values()), default=float("inf"))
                self._changed.wait(None if self._next_look == float("inf") else max(0.0, self._next_look - now))
