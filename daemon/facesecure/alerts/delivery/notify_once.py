"""Let one door of a household notify about a stranger whom several see.

An alert about a stranger waits until the other doors were asked: some milliseconds, a second at most. If another door
has notified about the same stranger, the alert is taken back; if that door has only promised to, the alert waits for
it. Whenever the others cannot be asked, this door notifies. What waits is on the disk, so that kill -9 loses nothing.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Protocol

from facesecure.alerts.delivery.held_alerts import HeldAlerts
from facesecure.domain import Alert, AlertKind
from facesecure.domain.deliveries import MQTT, UNHEARD, DeliveryState
from facesecure.domain.interfaces import NoticeBoard
from facesecure.domain.notices import Claim, SeenStranger

HELD_FOR = 30.0
"""Seconds that an alert is expected to wait at the longest."""
_AFTER_START = 3.0
"""Seconds after a start in which the others may be reached again, before what was left is decided on."""
_LOOK_EVERY = 5.0
"""Seconds between two looks at what could not be written."""
_REMEMBERED = 256
CORRECTED = "the verdict was corrected"

_log = logging.getLogger(__name__)


class RoutedSink(Protocol):
    """The part of ``alerts.delivery.dispatcher.Dispatcher`` that is used here."""

    def send(self, alert: Alert) -> None:
        """Deliver ``alert``."""

    def routes(self, alert: Alert) -> dict[str, list[str]]:
        """Return the plugins that ``alert`` would go to."""


@dataclass(slots=True)
class _Waiting:
    """An alert that is decided on at ``due``, monotonic."""

    alert: Alert
    due: float


class NotifyOnce:
    """An alert sink before ``sink``. Thread-safe.

    Example::

        with NotifyOnce(HeldAlerts(store.outbox, dispatcher, HOUSEHOLD), dispatcher, in_use=True) as once:
            once.ask(board)
            once.note(SeenStranger(sighting.identifier, embedding=...))
            once.send(alert)
    """

    def __init__(self, held: HeldAlerts, sink: RoutedSink, *, in_use: bool = False) -> None:
        """``in_use``: whether there may be other doors; without, nothing waits."""
        self._held, self._sink, self._in_use = held, sink, in_use
        self._board: NoticeBoard | None = None
        self._seen: OrderedDict[str, SeenStranger] = OrderedDict()
        self._claimed: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.RLock()
        self._waiting: list[_Waiting] = []
        self._tasks: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopping = False
        work = self._work if in_use else self._send_left_over
        self._thread = threading.Thread(target=work, name="notify once", daemon=True)

    def __enter__(self) -> NotifyOnce:
        """Start, and take over what an earlier run held."""
        if self._in_use:  # now: what this run holds must not be taken for it
            self._take_over()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop. What waits is on the disk, and is decided on at the next start."""
        self._stopping = True
        self._tasks.put(lambda: None)
        self._thread.join(2.0)

    def ask(self, board: NoticeBoard | None) -> None:
        """Ask the other doors through ``board`` from now on; with None, nobody."""
        self._board = board

    def note(self, seen: SeenStranger) -> None:
        """Remember what a stranger looks like about whom an alert may come, or a better view of one."""
        with self._lock:
            self._seen[seen.identifier] = seen
            self._seen.move_to_end(seen.identifier)
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)

    def send(self, alert: Alert) -> None:
        """Have ``alert`` decided on, if other doors may have seen the same; else send it. Returns at once."""
        if self._board is None or not self._thread.is_alive():
            self._sink.send(alert)
            return
        if alert.sighting is not None and alert.sighting.supersedes and alert.sighting.proves_presence:
            self._tasks.put(lambda: self._correct(alert))
        if not _may_be_shared(alert) or not self._audible(alert):
            self._sink.send(alert)
            return
        with self._lock:
            if not self._held.hold(alert, HELD_FOR):
                self._release(alert)  # a kill would lose it
                return
        self._tasks.put(lambda: self._decide(alert))

    def step(self, alert: Alert, channel: str, step: str) -> None:
        """Follow the dispatcher: tell the others of what reached somebody."""
        if step != DeliveryState.DELIVERED or alert.identifier not in self._claimed:
            return
        if channel in UNHEARD:
            return
        with self._lock:
            sighting, board = self._claimed.pop(alert.identifier, None), self._board
        if sighting is not None and board is not None:
            board.confirm(sighting)

    def _audible(self, alert: Alert) -> bool:
        """Return whether somebody hears of ``alert``: what only goes to a log must not silence the other doors."""
        return not UNHEARD.issuperset(self._sink.routes(alert))

    def _take_over(self) -> None:
        now = datetime.now(UTC)
        for one in self._held.left_over():
            left = min(max((one.due - now).total_seconds(), _AFTER_START), HELD_FOR)
            self._waiting.append(_Waiting(one.alert, time.monotonic() + (left if self._in_use else 0.0)))

    # The thread -------------------------------------------------------------------------------------------------

    def _send_left_over(self) -> None:
        """Send what an earlier run held, which had other doors; a start does not wait for a database that is locked."""
        self._take_over()
        self._decide_due()

    def _work(self) -> None:
        while not self._stopping:
            wake_at = min((one.due for one in self._waiting), default=float("inf"))
            try:
                task = self._tasks.get(timeout=min(max(0.0, wake_at - time.monotonic()), _LOOK_EVERY))
            except queue.Empty:
                task = self._decide_due
            try:
                task()
            except Exception:  # noqa: BLE001 - a thread that ends here would never send what waits
                _log.exception("an error in agreeing with the other doors; please report it")

    def _decide_due(self) -> None:
        with self._lock:
            self._held.retry_writes()
        now = time.monotonic()
        due = [one.alert for one in self._waiting if one.due <= now]
        self._waiting = [one for one in self._waiting if one.due > now]
        for alert in due:
            self._decide(alert)

    def _decide(self, alert: Alert) -> None:
        claim = self._claim(alert)
        with self._lock:
            if claim.is_ours:
                self._release(alert)
            elif claim.again_in is None:
                _log.info("%r is not sent: the door %s notified", alert.text, claim.told_by)
                self._held.withdraw(alert, f"the door {claim.told_by} notified")
            else:
                _log.info("%r waits: the door %s is about to notify", alert.text, claim.told_by)
                self._waiting.append(_Waiting(alert, time.monotonic() + claim.again_in))

    def _claim(self, alert: Alert) -> Claim:
        board, sighting = self._board, alert.sighting
        if board is None or sighting is None:
            return Claim()
        with self._lock:
            seen = self._seen.get(sighting.identifier) or SeenStranger(sighting.identifier, sighting.source)
        try:
            return board.claim(seen)
        except Exception:  # noqa: BLE001 - whatever it was, somebody has to be notified
            _log.exception("the other doors could not be asked; this is a bug, please report it")
            return Claim()

    def _release(self, alert: Alert) -> None:
        if alert.sighting is not None:
            self._claimed[self._held.sent_as(alert)] = alert.sighting.identifier
            while len(self._claimed) > _REMEMBERED:
                self._claimed.popitem(last=False)
        self._held.release(alert, min(datetime.now(UTC), alert.created_at + timedelta(seconds=HELD_FOR)))

    def _correct(self, correction: Alert) -> None:
        """Take back what waits about a visit that was somebody known."""
        wrong = correction.sighting.supersedes if correction.sighting else None
        with self._lock:
            for one in [one for one in self._waiting if one.alert.sighting and one.alert.sighting.identifier == wrong]:
                self._waiting.remove(one)
                self._held.withdraw(one.alert, CORRECTED)


def _may_be_shared(alert: Alert) -> bool:
    """Return whether another door may notify in the place of this one: never of a drill, or a correction."""
    seen = alert.sighting
    if alert.kind is not AlertKind.STRANGER or seen is None or alert.channels == (MQTT,):
        return False
    return not seen.staged and seen.supersedes is None
