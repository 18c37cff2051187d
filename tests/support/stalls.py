"""How long this process got no processor: seconds that no promise of the product's is about."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

_NAP, _NOTICED = 0.05, 0.2


class Stalls:
    """Notices by a thread that sleeps a moment at a time, and sometimes wakes up much later.

    Example::

        with Stalls() as stalls:
            began = time.monotonic()
            act()
            assert time.monotonic() - began - stalls.seconds < 10
    """

    def __init__(self) -> None:
        self._lost, self._awake = 0.0, time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stalls")

    @property
    def seconds(self) -> float:
        """All together until now; also those of a stall from which this thread woke up before the other."""
        return self._lost + self._late()

    def _late(self) -> float:
        late = time.monotonic() - self._awake - _NAP
        return late if late > _NOTICED else 0.0

    def _watch(self) -> None:
        while not self._over.wait(_NAP):
            self._lost, self._awake = self.seconds, time.monotonic()

    def __enter__(self) -> Self:
        self._awake = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
