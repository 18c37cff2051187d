"""Arm when everybody has left, and disarm when the first one comes home, if the household wants that.

What is heard of somebody is home, away or unknown. Only changes act: what a person sets by hand holds until presence
changes next. ``off`` is never left, and only a fresh message that somebody has come home disarms, after it was certain
that nobody was there: never one that lay on the broker, an old one, an unknown state, or a restart.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from facesecure.alerts.policy.arming import Armed
from facesecure.config.presence import PresenceConfig
from facesecure.domain.errors import UsageError, did_you_mean
from facesecure.domain.mode import Mode
from facesecure.domain.names import name_key
from facesecure.domain.presence import PersonPresence, Whereabouts
from facesecure.services.presence_file import Heard, Memory, PresenceFile
from facesecure.util.clock import Clock
from facesecure.util.periodic import PeriodicTask, RunsPeriodically

_DAY = 86400.0
_LOOK_EVERY = 0.5
_SAVE_EVERY = 30.0
"""Seconds between two writes of what changes nothing but is worth to be kept: phones that come and go wear no disk."""

_log = logging.getLogger(__name__)


class House(Protocol):
    """What presence acts on."""

    @property
    def mode(self) -> Mode:
        """The mode that applies, by the hours of the week too."""

    @property
    def armed(self) -> Armed:
        """The mode that was set last."""

    def everybody_left(self) -> None:
        """Arm away."""

    def came_home(self, name: str) -> None:
        """Change away to home, since the person called ``name`` has come, and notify of it."""


@dataclass(slots=True)
class _Countdown:
    """Everybody has been away since ``began`` (steady seconds), and nobody has set a mode since it was ``armed``."""

    began: float
    armed: Armed


class Presence(RunsPeriodically):
    """Who of ``config.people`` is at home. Thread-safe.

    Example::

        with Presence(config.presence, house, PresenceFile(state_dir, clock), clock) as presence:
            presence.report("Anna", Whereabouts.HOME)
    """

    def __init__(
        self,
        config: PresenceConfig,
        house: House,
        file: PresenceFile,
        clock: Clock,
        on_change: Callable[[], object] = lambda: None,
    ) -> None:
        """``on_change`` is told when somebody comes or leaves."""
        self._config, self._house, self._file, self._clock = config, house, file, clock
        self._on_change = on_change
        self.broker_gone: Callable[[], bool] = lambda: False
        """Whether presence comes over a broker that is not connected: then nobody can be said to have left."""
        self._names = {name_key(name): name for name in config.people}
        memory = file.load(config.people)
        self._heard, self._empty = dict(memory.people), memory.empty
        self._countdown: _Countdown | None = None
        self._noted: dict[str, tuple[Whereabouts, bool]] = {}
        self._unsaved, self._save_due = False, 0.0
        self._logged = False
        self._lock, self._notes = threading.RLock(), threading.Lock()
        self._task = PeriodicTask("presence", self._tick, _LOOK_EVERY, join_timeout=2.0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and write what is known."""
        super().__exit__(kind, error, trace)
        with self._lock:
            self._save_if_due(at_once=True)

    @property
    def people(self) -> list[PersonPresence]:
        """Where everybody is, in the order of the configuration."""
        with self._lock:
            return [self._person(key, name) for key, name in self._names.items()]

    @property
    def arms_in(self) -> float | None:
        """Seconds until it is armed, since everybody has left; None if that is not so."""
        countdown = self._countdown
        if countdown is None or not self._config.arm:
            return None
        return max(0.0, countdown.began + self._config.leave_delay - self._clock.steady())

    def note(self, name: str, where: Whereabouts, *, fresh: bool) -> None:
        """Take what was heard of somebody, to act on it soon. Never waits; of what comes too fast the last counts.

        ``fresh``: whether it was sent just now, and did not lie anywhere.
        """
        with self._notes:
            self._noted[name_key(name)] = (where, fresh)

    def report(self, name: str, where: Whereabouts, *, fresh: bool = True) -> PersonPresence:
        """Take what was heard of somebody, and act on it. Raises UsageError if there is no such person."""
        key = name_key(name)
        if key not in self._names:
            names = ", ".join(self._names.values())
            hint = did_you_mean(key, self._names, shown=lambda each: self._names[each])
            raise UsageError(
                f"{name!r} is not in [presence] people", hint or (f"there are: {names}" if names else "add them there")
            )
        with self._lock:
            self._take(key, where, fresh)
            return self._person(key, self._names[key])

    def look(self) -> None:
        """Act on what was noted, and on time that has passed."""
        with self._notes:
            noted, self._noted = self._noted, {}
        with self._lock:
            for key, (where, fresh) in noted.items():
                if key in self._names:
                    self._take(key, where, fresh)
            self._count_down()
            self._save_if_due()

    def _take(self, key: str, where: Whereabouts, fresh: bool) -> None:
        before, now = self._where(key), self._clock.now()
        old = self._heard.get(key)
        since = old.since if old is not None and old.where is where is before else now
        self._heard[key] = Heard(where, since, self._clock.steady())
        if where is before:
            return
        self._unsaved = True
        if where is Whereabouts.HOME:
            self._came(self._names[key], fresh)
        self._count_down()
        self._save_if_due()
        self._on_change()

    def _came(self, name: str, fresh: bool) -> None:
        was_empty, self._countdown = self._empty, None
        if was_empty:
            self._empty = False
            self._save_if_due(at_once=True)
        if not (was_empty and self._config.disarm and self._house.mode is Mode.AWAY):
            return
        if fresh:
            self._house.came_home(name)
        else:
            _log.info("it lay on the broker that %s is at home: that does not disarm", name)

    def _count_down(self) -> None:
        """Begin, go on with or give up the wait for everybody to be away long enough."""
        now = self._clock.steady()
        if self._empty or any(self._where(key) is not Whereabouts.AWAY for key in self._names):
            self._countdown = None
        elif self._countdown is None or self.broker_gone():
            self._countdown = _Countdown(now, self._house.armed)
        elif now >= self._countdown.began + self._config.leave_delay:
            armed, self._countdown, self._empty = self._countdown.armed, None, True
            self._save_if_due(at_once=True)
            if self._config.arm and armed == self._house.armed and armed.mode is Mode.HOME:
                self._house.everybody_left()
            self._on_change()

    def _where(self, key: str) -> Whereabouts:
        heard = self._heard.get(key)
        if heard is None or self._clock.steady() - heard.at > self._config.expires_days * _DAY:
            return Whereabouts.UNKNOWN
        return heard.where

    def _person(self, key: str, name: str) -> PersonPresence:
        heard, where = self._heard.get(key), self._where(key)
        return PersonPresence(name, where, heard.since if heard is not None and where is heard.where else None)

    def _save_if_due(self, *, at_once: bool = False) -> None:
        now = self._clock.steady()
        if at_once or (self._unsaved and now >= self._save_due):
            self._unsaved, self._save_due = False, now + _SAVE_EVERY
            self._file.save(Memory(dict(self._heard), self._empty))

    def _tick(self) -> None:
        try:
            self.look()
        except Exception:  # noqa: BLE001 - a task that ends here would never arm
            level = logging.DEBUG if self._logged else logging.ERROR
            _log.log(level, "an error in presence; please report it", exc_info=True)
            self._logged = True
