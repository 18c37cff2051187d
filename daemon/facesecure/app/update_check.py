"""Look for a newer version in the background, for whoever shows it: the page, ``status`` and the broker."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from facesecure.config.updates import UpdatesConfig
from facesecure.domain.errors import StoreError
from facesecure.services.updates import Updates, known_updates, look
from facesecure.util.periodic import PeriodicTask, RunsPeriodically

_LOOK_EVERY = 900.0
"""Seconds between two looks at the clock; the question itself is asked once a day."""
_FIRST = 30.0, 300.0
"""Between these seconds after the start, at random, is the first look: many houses may start after one power cut."""

_log = logging.getLogger(__name__)


class UpdateCheck(RunsPeriodically):
    """Asks once a day which version is the newest; for a configuration that has the check on.

    Example::

        with UpdateCheck(config.updates, state_dir, changes.bumper(Topic.TROUBLES)) as updates:
            updates.known.newer
    """

    def __init__(
        self,
        config: UpdatesConfig,
        state_dir: Path,
        on_change: Callable[[], None],
        *,
        ask: Callable[[UpdatesConfig, Path, Updates, datetime], Updates] = look,
        first: float | None = None,
        every: float = _LOOK_EVERY,
    ) -> None:
        """``on_change`` is called when something else is known; ``first``: seconds to the first look."""
        self._config, self._state_dir, self._on_change, self._ask = config, state_dir, on_change, ask
        self._known = known_updates(config, state_dir)
        self._task = PeriodicTask(
            "updates", self._look, every, first=random.uniform(*_FIRST) if first is None else first
        )

    @property
    def known(self) -> Updates:
        """What is known now."""
        return self._known

    def _look(self) -> None:
        now = datetime.now(UTC)
        if not self._known.due(now):
            return
        try:
            found = self._ask(self._config, self._state_dir, self._known, now)
        except (StoreError, OSError) as error:
            _log.debug("not asked for a newer version, since that cannot be noted: %s", error)
            return
        except Exception:  # noqa: BLE001 - the thread goes on, and asks again tomorrow
            _log.exception("an error while asking for a newer version; please report it")
            found = known_updates(self._config, self._state_dir)
        before, self._known = self._known, found
        _report(before, found)
        self._on_change()


def _report(before: Updates, found: Updates) -> None:
    if found.problem:
        _log.info("the newest version is not known: %s", found.problem)
    elif found.newer and found.newer != before.newer:
        _log.info("facesecure %s is out; it is installed by hand: docs/package.md", found.newer)
