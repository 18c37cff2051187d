"""Lend the models to the cameras' pipelines: an interpreter serves one thread at a time, and memory holds few of them.

A camera whose track is unsure goes first, then the camera that was served longest ago. A request that waits longer than
``PATIENCE`` counts as urgent too, so that no camera starves beside a busy one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import sched_getaffinity

from facesecure.recognition.identify import Identifier

PATIENCE = 0.15
"""Seconds after which a request counts as urgent: about as long as one search takes on a small machine."""


@dataclass(eq=False, slots=True)
class _Request:
    camera: str
    urgent: bool
    since: float
    models: Identifier | None = None


class ModelPool:
    """Sets of models, each lent to one camera at a time. Thread-safe.

    Example::

        pool = ModelPool([identifier])
        with pool.lend("front door", urgent=tracker.unsure) as models:
            faces = models.detector.detect(frame.image)
    """

    def __init__(self, sets: Sequence[Identifier], clock: Callable[[], float] = time.monotonic) -> None:
        """Lend ``sets``, at least one."""
        self._free = list(sets)
        self._clock = clock
        self._changed = threading.Condition()
        self._requests: list[_Request] = []
        self._served: dict[str, float] = {}

    @contextmanager
    def lend(self, camera: str, *, urgent: bool = False) -> Iterator[Identifier]:
        """Wait for a set of models, and yield it; within the block nobody else uses it.

        ``urgent``: whether a visitor of ``camera`` is not identified yet.
        """
        models = self._take(_Request(camera, urgent, self._clock()))
        try:
            yield models
        finally:
            self._give_back(models)

    def _take(self, request: _Request) -> Identifier:
        with self._changed:
            self._requests.append(request)
            self._hand_out()
            try:
                self._changed.wait_for(lambda: request.models is not None)
            except BaseException:
                self._withdraw(request)
                raise
            assert request.models is not None
            return request.models

    def _hand_out(self) -> None:
        """Give each free set to the request that is first now; to be called where either list has grown.

        Who is first changes with time: if each waiting thread asked for itself, all could find another one to be it.
        """
        while self._free and self._requests:
            request = self._next()
            self._requests.remove(request)
            self._served[request.camera] = self._clock()
            request.models = self._free.pop()
            self._changed.notify_all()

    def _withdraw(self, request: _Request) -> None:
        if request.models is None:
            self._requests.remove(request)
        else:
            self._free.append(request.models)
            self._hand_out()

    def _give_back(self, models: Identifier) -> None:
        with self._changed:
            self._free.append(models)
            self._hand_out()

    def _next(self) -> _Request:
        """Return the request to serve first."""
        now = self._clock()

        def order(request: _Request) -> tuple[bool, float, float]:
            urgent = request.urgent or now - request.since > PATIENCE
            return not urgent, self._served.get(request.camera, float("-inf")), request.since

        return min(self._requests, key=order)


def workers(cameras: int) -> int:
    """Return how many sets of models ``cameras`` need: one of the cores is left to capture and decoding."""
    return max(1, min(cameras, len(sched_getaffinity(0)) - 1))
