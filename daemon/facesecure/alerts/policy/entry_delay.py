"""The entry delay: while armed away, alerts about visitors wait a moment, so that whoever comes home can disarm.

It begins with the first alert that has to wait. Others that come meanwhile wait for the same end. If somebody sets
another mode before that, none of them is sent; else all are, and for two minutes no other alert waits. Time is measured
by the clock that never jumps. After a restart the alerts wait on for what was left, and are sent at once if that is
unclear.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType

from facesecure.alerts.delivery.held_alerts import HeldAlerts, LeftOver
from facesecure.alerts.policy.arming import Armed, Arming
from facesecure.config.policy import PolicyConfig
from facesecure.domain import Alert, AlertKind
from facesecure.domain.deliveries import MQTT
from facesecure.domain.interfaces import AlertSink
from facesecure.domain.mode import Mode
from facesecure.util.clock import SystemClock
from facesecure.util.periodic import PeriodicTask, RunsPeriodically

TRIGGERED = 120.0
"""Seconds after the end of an entry delay in which the alarm counts as triggered, as in Home Assistant."""
_LOOK_EVERY = 0.25
DISARMED = "disarmed in time"
CORRECTED = "the verdict was corrected"

_log = logging.getLogger(__name__)


class EntryPhase(StrEnum):
    """How far an alarm has come."""

    QUIET = "quiet"
    PENDING = "pending"
    """Alerts wait for somebody to disarm."""
    TRIGGERED = "triggered"
    """Nobody did, and the alerts were sent."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The phase, the seconds until it ends, and whether a stranger is among those whose alerts wait."""

    phase: EntryPhase = EntryPhase.QUIET
    seconds: float | None = None
    stranger: bool = False


@dataclass(slots=True)
class _Waiting:
    """Alerts that wait until ``due``, steady seconds, unless ``armed`` is replaced by a person."""

    armed: Armed
    due: float
    alerts: list[Alert] = field(default_factory=list)


class EntryDelay(RunsPeriodically):
    """An alert sink before ``sink`` in which alerts wait. Thread-safe.

    Example::

        with EntryDelay(config.policy, lambda: policy.mode, arming, HeldAlerts(store.outbox, dispatcher), dispatcher):
            ...
    """

    def __init__(
        self,
        config: PolicyConfig,
        mode: Callable[[], Mode],
        arming: Arming,
        held: HeldAlerts,
        sink: AlertSink,
        *,
        on_change: Callable[[], object] = lambda: None,
        steady: Callable[[], float] | None = None,
    ) -> None:
        """``mode`` returns the mode that applies, by the hours of the week too; ``on_change`` is told of a new phase.

        ``steady``: a clock that never jumps, for tests.
        """
        self._config, self._mode, self._arming = config, mode, arming
        self._held, self._sink, self._on_change = held, sink, on_change
        self._steady = steady or SystemClock().steady
        self._lock = threading.RLock()
        self._waiting: _Waiting | None = None
        self._triggered: tuple[Armed, float] | None = None
        self._shown: tuple[object, ...] = ()
        self._logged = False
        self._task = PeriodicTask("entry delay", self._tick, _LOOK_EVERY, join_timeout=2.0)

    def __enter__(self) -> EntryDelay:
        """Take over what an earlier run held, and start, if there is anything to wait for."""
        self.resume()
        return super().__enter__() if self._config.entry_delay or self._config.exit_delay else self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop. What waits is on the disk, and waits on at the next start."""
        super().__exit__(kind, error, trace)

    @property
    def entry(self) -> Entry:
        """The phase at present."""
        waiting, triggered, now = self._waiting, self._triggered, self._steady()
        if waiting is not None:
            strangers = any(_kind(alert) is AlertKind.STRANGER for alert in list(waiting.alerts))
            return Entry(EntryPhase.PENDING, max(0.0, waiting.due - now), strangers)
        if triggered is not None:
            return Entry(EntryPhase.TRIGGERED, max(0.0, triggered[1] - now))
        return Entry()

    def send(self, alert: Alert) -> None:
        """Hold ``alert`` back if it has to wait, else send it. Returns at once and never raises."""
        with self._lock:
            self.look()
            self._replace_corrected(alert)
            if self._waits(alert):
                self._hold(alert)
                return
        self._sink.send(alert)

    def look(self) -> None:
        """Do what is due: withdraw what waits if somebody disarmed, send it if its time has come."""
        with self._lock:
            waiting, now = self._waiting, self._steady()
            if waiting is not None and self._disarmed_since(waiting.armed):
                self._end_waiting()
                _log.info("%s: %d alerts are not sent", DISARMED, len(waiting.alerts))
                for alert in waiting.alerts:
                    self._held.withdraw(alert, DISARMED)
            elif waiting is not None and now >= waiting.due:
                self._end_waiting()
                self._triggered = (waiting.armed, now + TRIGGERED)
                for alert in waiting.alerts:
                    self._held.release(alert)
            if self._triggered is not None:
                armed, until = self._triggered
                if now >= until or self._disarmed_since(armed):
                    self._triggered = None
            self._held.retry_writes()
        self._tell_changes()

    def resume(self) -> None:
        """Take over what an earlier run held: it waits for what is left, at the longest for a whole entry delay."""
        with self._lock:
            for one in self._held.left_over():
                self._resume(one)

    def _resume(self, one: LeftOver) -> None:
        armed, now = self._arming.armed, datetime.now(UTC)
        left = (one.due - now).total_seconds()
        if armed.mode is not Mode.AWAY and armed.since is not None and armed.since > one.alert.created_at:
            self._held.withdraw(one.alert, DISARMED)
        elif left > 0 and self._mode() is Mode.AWAY and self._config.entry_delay > 0:
            self._begun(min(left, self._config.entry_delay)).alerts.append(one.alert)
        else:
            _log.warning("held back before the start, and sent now: %r", one.alert.text)
            self._triggered = (armed, self._steady() + TRIGGERED) if armed.mode is Mode.AWAY else None
            self._held.release(one.alert, min(now, one.due))

    def _waits(self, alert: Alert) -> bool:
        """Return whether ``alert`` has to wait: a drill's and the broker's events never do."""
        seen = alert.sighting
        if seen is None or seen.staged or alert.channels == (MQTT,) or self._config.entry_delay <= 0:
            return False
        if _kind(alert).value not in self._config.entry_delay_for:
            return False
        return self._waiting is not None or (self._triggered is None and self._mode() is Mode.AWAY)

    def _hold(self, alert: Alert) -> None:
        waiting = self._begun(self._config.entry_delay)
        if self._held.hold(alert, max(0.0, waiting.due - self._steady())):
            waiting.alerts.append(alert)
            _log.info("held back for the entry delay: %r", alert.text)
        else:  # a kill would lose it
            self._held.release(alert)
            if not waiting.alerts:
                self._end_waiting()
        self._tell_changes()

    def _begun(self, seconds: float) -> _Waiting:
        if self._waiting is None:
            self._waiting = _Waiting(self._arming.armed, self._steady() + seconds)
        return self._waiting

    def _end_waiting(self) -> None:
        self._waiting = None

    def _replace_corrected(self, alert: Alert) -> None:
        """Withdraw what waits about a visit that ``alert`` corrects; a doubtful correction takes nothing back."""
        waiting, seen = self._waiting, alert.sighting
        if waiting is None or seen is None or seen.supersedes is None or alert.channels == (MQTT,):
            return
        if not self._settles(alert):
            return
        for wrong in [one for one in waiting.alerts if one.sighting and one.sighting.identifier == seen.supersedes]:
            waiting.alerts.remove(wrong)
            self._held.withdraw(wrong, CORRECTED)
        if not waiting.alerts and not self._waits(alert):
            self._end_waiting()

    def _settles(self, alert: Alert) -> bool:
        """Return whether ``alert`` may take the place of one that waits: it waits itself, or somebody certainly came.

        Else a picture that is held up after the face of a stranger would take the stranger's alert back.
        """
        return self._waits(alert) or (alert.sighting is not None and alert.sighting.proves_presence)

    def _disarmed_since(self, armed: Armed) -> bool:
        """Return whether a person set another mode than away since it was ``armed``: no hours of the week do that."""
        now = self._arming.armed
        return now != armed and now.mode is not Mode.AWAY

    def _tell_changes(self) -> None:
        shown = (self.entry.phase, self._arming.leaving is None, self._arming.armed)
        if shown != self._shown:
            self._shown = shown
            self._on_change()

    def _tick(self) -> None:
        try:
            self.look()
        except Exception:  # noqa: BLE001 - a task that ends here would never send what waits
            level = logging.DEBUG if self._logged else logging.ERROR
            _log.log(level, "an error in the entry delay; please report it", exc_info=True)
            self._logged = True


def _kind(alert: Alert) -> AlertKind:
    """Return the kind of ``alert``; known people who may be a picture count as strangers."""
    doubted = alert.kind is AlertKind.KNOWN and alert.sighting is not None and alert.sighting.doubt
    return AlertKind.STRANGER if doubted else alert.kind
