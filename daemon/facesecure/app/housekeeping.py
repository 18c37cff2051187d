"""Removes what is too old or too much, now and then, without ever holding up a frame."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from facesecure.config import StoreConfig
from facesecure.domain.errors import StoreError
from facesecure.util.clock import Clock, SystemClock
from facesecure.util.periodic import PeriodicTask, RunsPeriodically

_log = logging.getLogger(__name__)

_FIRST_AFTER = 60.0
_EVERY = 3600.0


class Prunable(Protocol):
    """What is needed of ``store.Store``."""

    def prune(self, config: StoreConfig) -> object: ...


class RetentionTask(RunsPeriodically):
    """Prunes the store a minute after the start and then every hour, between ``enter`` and ``exit``."""

    def __init__(
        self,
        store: Prunable,
        config: StoreConfig,
        *,
        first: float = _FIRST_AFTER,
        every: float = _EVERY,
        newest: Callable[[], datetime | None] = lambda: None,
        trust: ClockGuard | None = None,
    ) -> None:
        """``newest``: when somebody was last seen; ``trust`` says when nothing is to go for its age."""
        self._store, self._config = store, config
        self._newest, self._trust = newest, trust or ClockGuard()
        self._task = PeriodicTask("housekeeping", self._tidy, every, first=first, join_timeout=2.0)

    def _tidy(self) -> None:
        try:
            _log.debug("retention: %s", self._store.prune(self._present_config()))
        except Exception as error:  # noqa: BLE001 - a routine that ends here lets the disk fill for good
            bug = None if isinstance(error, StoreError | OSError) else error
            _log.warning("retention did not work, and is tried again in an hour: %s", error, exc_info=bug)

    def _present_config(self) -> StoreConfig:
        """A wrong clock must not cost the history: what takes too much room goes all the same."""
        if not self._config.keep_days or self._trust.believed(self._newest(), timedelta(days=self._config.keep_days)):
            return self._config
        return self._config.model_copy(update={"keep_days": 0.0})


DOUBT = timedelta(days=1)
"""A wall clock that moved this much against the one that never jumps is doubted, for as long."""


class ClockGuard:
    """Asked at each round. A clock that jumped, or that finds everything too old at the start, is doubted for a day.

    By then somebody, or the network, has set it right; a clock that is still wrong is believed.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._offset = self._present_offset()
        self._first = True
        self._doubted_at: float | None = None

    def believed(self, newest: datetime | None, keep: timedelta) -> bool:
        """Whether what is older than ``keep`` may go. ``newest``: when somebody was last seen."""
        moved, age = self._present_offset() - self._offset, newest and self._clock.now() - newest
        if abs(moved) > DOUBT.total_seconds():
            self._doubt(f"the clock was moved by {moved / 86400:+.0f} days")
        elif self._first and age and age > keep:
            self._doubt(f"by the clock nobody was seen for {age.days} days")
        self._first, self._offset = False, self._offset + moved
        if self._doubted_at is not None and self._clock.steady() - self._doubted_at >= DOUBT.total_seconds():
            self._doubted_at = None
        return self._doubted_at is None

    def _doubt(self, why: str) -> None:
        self._doubted_at = self._clock.steady()
        _log.warning("%s: nothing is thrown away for its age until the clock has gone well for a day", why)

    def _present_offset(self) -> float:
        return self._clock.now().timestamp() - self._clock.steady()
