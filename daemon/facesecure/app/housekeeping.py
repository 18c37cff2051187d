"""Prune the store in the background, and decide whether the clock can be trusted to delete by age."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from facesecure.config import ClipsConfig, StoreConfig
from facesecure.domain.errors import StoreError
from facesecure.util.clock import Clock, SystemClock
from facesecure.util.periodic import PeriodicTask, RunsPeriodically

_FIRST_SECONDS = 60.0
_INTERVAL = 3600.0
DOUBT = timedelta(days=1)
"""A wall clock that moved by more than this against the monotonic clock is not trusted, for this long."""

_log = logging.getLogger(__name__)


class Prunable(Protocol):
    """The part of ``storage.store.Store`` that retention needs."""

    def prune(self, config: StoreConfig, *, clips: ClipsConfig | None = None) -> object:
        """Delete what ``config`` does not keep, of films what ``clips`` does not."""


class RetentionTask(RunsPeriodically):
    """Prunes the store a minute after the start and then every hour.

    Example::

        with RetentionTask(store, config.store, newest=store.last_seen):
            ...
    """

    def __init__(
        self,
        store: Prunable,
        config: StoreConfig,
        *,
        first: float = _FIRST_SECONDS,
        interval: float = _INTERVAL,
        newest: Callable[[], datetime | None] = lambda: None,
        guard: ClockGuard | None = None,
        clips: ClipsConfig | None = None,
    ) -> None:
        """Prune ``store`` by ``config``, and its films by ``clips``: after ``first`` s, then every ``interval`` s.

        ``newest`` returns the time of the latest sighting; ``guard`` decides whether to delete by age.
        """
        self._store, self._config, self._clips = store, config, clips
        self._newest, self._guard = newest, guard or ClockGuard()
        self._task = PeriodicTask("housekeeping", self._prune, interval, first=first, join_timeout=2.0)

    def _prune(self) -> None:
        try:
            config, clips = self._trusted_config()
            pruned = self._store.prune(config, clips=clips) if clips else self._store.prune(config)
            _log.debug("retention: %s", pruned)
        except Exception as error:  # noqa: BLE001 - if the thread ended here, the disk would fill up for good
            bug = None if isinstance(error, StoreError | OSError) else error
            _log.warning("pruning failed and is tried again in an hour: %s", error, exc_info=bug)

    def _trusted_config(self) -> tuple[StoreConfig, ClipsConfig | None]:
        """Return the configuration, without its age limits while the clock is not trusted; size limits always hold."""
        clips, forever = self._clips, {"keep_days": 0.0, "audit_days": 0.0}
        days = self._config.keep_days or (clips.keep_days if clips else 0.0) or self._config.audit_days
        if not days or self._guard.trusts(self._newest(), timedelta(days=days)):
            return self._config, clips
        return self._config.model_copy(update=forever), clips and clips.model_copy(update={"keep_days": 0.0})


class ClockGuard:
    """Distrusts the wall clock for a day after it jumped, or if at the start it makes every sighting too old.

    Within that day the network or a person will have corrected a wrong clock; a clock that is still wrong is trusted.
    Example::

        guard = ClockGuard()
        if guard.trusts(store.last_seen(), timedelta(days=30)):
            ...
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._offset = self._current_offset()
        self._first = True
        self._doubted_at: float | None = None

    def trusts(self, newest: datetime | None, keep: timedelta) -> bool:
        """Return whether data older than ``keep`` may be deleted, given the time of the ``newest`` sighting.

        To be called regularly: jumps of the clock are noticed between two calls.
        """
        moved, age = self._current_offset() - self._offset, newest and self._clock.now() - newest
        if abs(moved) > DOUBT.total_seconds():
            self._distrust(f"the clock was moved by {moved / 86400:+.0f} days")
        elif self._first and age and age > keep:
            self._distrust(f"by the clock, the latest sighting is {age.days} days old")
        self._first, self._offset = False, self._offset + moved
        if self._doubted_at is not None and self._clock.steady() - self._doubted_at >= DOUBT.total_seconds():
            self._doubted_at = None
        return self._doubted_at is None

    def _distrust(self, why: str) -> None:
        self._doubted_at = self._clock.steady()
        _log.warning("%s: nothing is deleted for its age until the clock has run steadily for a day", why)

    def _current_offset(self) -> float:
        """Return the seconds between the wall clock and the monotonic clock."""
        return self._clock.now().timestamp() - self._clock.steady()
