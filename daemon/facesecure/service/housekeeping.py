"""Removes what is too old or too much, now and then, without ever holding up a frame."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol

from facesecure.config import StoreConfig
from facesecure.errors import StoreError
from facesecure.routine import Routine
from facesecure.service.calendar_trust import CalendarTrust

_log = logging.getLogger(__name__)

_FIRST_AFTER = 60.0
_EVERY = 3600.0


class Prunable(Protocol):
    """What is needed of ``store.Store``."""

    def prune(self, config: StoreConfig) -> object: ...


class Housekeeper:
    """Prunes the store a minute after the start and then every hour, between ``enter`` and ``exit``."""

    def __init__(
        self,
        store: Prunable,
        config: StoreConfig,
        *,
        first: float = _FIRST_AFTER,
        every: float = _EVERY,
        newest: Callable[[], datetime | None] = lambda: None,
        trust: CalendarTrust | None = None,
    ) -> None:
        """``newest``: when somebody was last seen; ``trust`` says when nothing is to go for its age."""
        self._store, self._config = store, config
        self._newest, self._trust = newest, trust or CalendarTrust()
        self._routine = Routine("housekeeping", self._tidy, every, first=first, patience=2.0)

    def __enter__(self) -> Housekeeper:
        self._routine.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._routine.end()

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
