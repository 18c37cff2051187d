"""A set of models that no camera uses: loaded for an enrolment, and freed some time after it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facesecure.domain.errors import BusyError
from facesecure.services.model_stack import ModelStack

KEPT_SECONDS = 120.0
"""An enrolment has thirty pictures, and people look at each."""
_WAIT_SECONDS = 20.0


class SpareModels:
    """Lends one set of models to one thread at a time, and frees it when nobody has asked for a while.

    Example::

        spare = SpareModels(lambda: ModelStack.load(config, state_dir))
        with spare.lend() as models:
            enrolment = models.enrolment()
    """

    def __init__(self, load: Callable[[], ModelStack], seconds: float = KEPT_SECONDS) -> None:
        """``seconds``: how long the models are kept after each loan."""
        self._load, self._seconds = load, seconds
        self._lock = threading.Lock()
        self._models: ModelStack | None = None
        self._timer: threading.Timer | None = None

    @contextmanager
    def lend(self) -> Iterator[ModelStack]:
        """Lend the models while the block runs; load them first if necessary.

        Raises BusyError if somebody else has them for too long, and ModelError.
        """
        if not self._lock.acquire(timeout=_WAIT_SECONDS):
            raise BusyError("faces are being examined for somebody else", "try again in a moment")
        try:
            self._stop_timer()
            if self._models is None:
                self._models = self._load()
            yield self._models
        finally:
            self._start_timer()
            self._lock.release()

    def close(self) -> None:
        """Free the models."""
        with self._lock:
            self._stop_timer()
            self._models = None

    def _start_timer(self) -> None:
        self._timer = threading.Timer(self._seconds, self._free)
        self._timer.name, self._timer.daemon = "spare-models", True
        self._timer.start()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _free(self) -> None:
        with self._lock:
            if self._timer is threading.current_thread():
                self._timer = self._models = None
