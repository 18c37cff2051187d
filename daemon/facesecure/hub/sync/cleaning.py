"""Have the hub remove what it need not keep any more: any door may ask for that, and all do."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from facesecure.hub.store import HubStore

EVERY = 6 * 3600.0
"""Seconds between two times; what is left of many rows is removed at the next look."""

_log = logging.getLogger(__name__)


class Cleaning:
    """Asks a few times a day. One thread uses it.

    Example::

        Link(store, [known.learn, Cleaning().clean])
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        """``steady``: a clock that never jumps."""
        self._steady = steady
        self._cleaned: float | None = None

    def clean(self, store: HubStore) -> None:
        """Ask, if it is time for that. Raises HubError."""
        now = self._steady()
        if self._cleaned is not None and now - self._cleaned < EVERY:
            return
        removed = store.sightings.expire()
        if removed:
            _log.info("%d visits of more than two weeks ago were removed from the hub", removed)
        else:
            self._cleaned = now
