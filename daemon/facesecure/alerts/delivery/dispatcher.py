"""Sees to it that every alert is told: written first, then sent by plugins, with fallbacks, until told or worthless.

``send`` writes the alert and returns. A thread of the dispatcher's own decides (``rounds``), each plugin's thread
sends (``channel``); what an earlier run left undelivered is taken up at the start. At least once: an alert whose
plugin was at it when the process died is sent again, with the same identifier; one that was marked delivered never is.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import starmap
from types import TracebackType

from facesecure.alerts.delivery.channel import Channel, ChannelReport
from facesecure.alerts.delivery.delivery import Delivery, born_at, expires_at
from facesecure.alerts.delivery.durable_outbox import DurableOutbox, WriteResult
from facesecure.alerts.delivery.fallback import FallbackRouter
from facesecure.alerts.delivery.scheduler import DeliveryScheduler, OnStep
from facesecure.alerts.delivery.speech_deadline import SPEAK_WITHIN, AnnouncementDeadline
from facesecure.domain import Alert
from facesecure.domain.deliveries import (
    AlertWithDeliveries,
    DeliveryState,
    DeliveryStatus,
    Outbox,
    PlannedDelivery,
    StoredDelivery,
)
from facesecure.domain.interfaces import AlertPlugin

CAPACITY = 1000
CLOSE_SECONDS = 2.0

log = logging.getLogger(__name__)


def _unwatched(alert: Alert, channel: str, step: str) -> None:
    """For when nobody asks how far an alert has come."""


class Dispatcher:
    """Started by ``start`` or ``with``; ``close`` (or the end of ``with``) sends what is waiting, for a while."""

    def __init__(
        self,
        plugins: Mapping[str, AlertPlugin] | None = None,
        *,
        outbox: Outbox | None = None,
        fallback: Mapping[str, str] | None = None,
        on_step: OnStep = _unwatched,
        capacity: int = CAPACITY,
        close_seconds: float = CLOSE_SECONDS,
        speak_within: float = SPEAK_WITHIN,
        chance: random.Random | None = None,
    ) -> None:
        """``outbox``: where alerts wait on the disk; without one nothing outlives the process.

        ``fallback``: who is tried next where a plugin fails, by name. ``on_step`` is told, on one thread, of every
        alert's way: written, attempting, delivered, failed, expired, and what plugins report in between.
        ``capacity``: alerts that may wait for each plugin. ``close_seconds``: how long the end of ``with`` waits.
        """
        self._ledger = DurableOutbox(outbox)
        self._channels: dict[str, Channel] = {}
        self._fallback = dict(fallback or {})
        self._on_step, self._close_seconds = on_step, close_seconds
        self._rounds = DeliveryScheduler(
            self._channels,
            self._ledger,
            AnnouncementDeadline(speak_within),
            on_step,
            capacity,
            chance or random.Random(),
        )
        self._todo: queue.SimpleQueue[Callable[[float], None]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
        self._closed = False
        self._stop_at = float("inf")
        self.attach(plugins or {})

    def attach(self, plugins: Mapping[str, AlertPlugin]) -> None:
        """Add ``plugins``, by name, to those that get alerts. Must be called before ``start``.

        Raises ValueError if the fallbacks form a circle.
        """
        self._channels.update(
            {name: Channel(name, plugin, self._ledger, self._ended) for name, plugin in plugins.items()}
        )
        self._routes = FallbackRouter(self._channels, self._fallback)

    def start(self) -> None:
        """Take up what an earlier run left, and begin."""
        for name, spare in self._routes.without_fallback():
            log.warning("when plugin %s fails nothing takes its place: its fallback %s is not in use", name, spare)
        for channel in self._channels.values():
            channel.start()
        self._take_up(self._ledger.pending())
        self._thread.start()

    def send(self, alert: Alert) -> None:
        """Write ``alert`` down and have it told. Returns at once and never raises; any thread may call.

        What cannot be written is told all the same. After ``close`` it is written for the next start.
        """
        routes = {head: self._routes.chain(head, alert) for head in self._routes.primary(alert)}
        written = self._ledger.write(alert, [_planned(alert, head, chain) for head, chain in routes.items()])
        if written is WriteResult.BEFORE:
            log.warning("alert %s was sent before: %r", alert.identifier, alert.text)
        elif self._closed:
            kept = "it is told at the next start" if self._ledger.keeps else "it is lost"
            log.error("not sent, facesecure is stopping: %r; %s", alert.text, kept)
        else:
            self._todo.put(partial(self._begin, alert, routes, written))

    def progress(self, alert: Alert, step: str) -> None:
        """For ``PluginContext.progress``: how far a plugin has come with ``alert``. Returns at once.

        "playing" means that somebody hears it: no fallback cuts in, and it counts as spoken.
        """
        self._todo.put(partial(self._rounds.heard, alert, step))

    def close(self, timeout: float | None = None) -> dict[str, list[Alert]]:
        """Let the plugins send what is ready to go, at most ``timeout`` seconds for all together, and close them.

        Returns what was not delivered, by the plugin it was for, and logs each; with an outbox it is told at the next
        start, unless expired by then. Nothing waits for a pause between attempts to end. A plugin that hangs is left
        behind on its thread, which does not keep the process alive. Again: nothing happens.
        """
        if self._closed:
            return {}
        self._closed = True
        deadline = time.monotonic() + (self._close_seconds if timeout is None else timeout)
        self._todo.put(lambda _: self._stop(deadline))
        if self._thread.ident is None:
            self._take_all()
        else:
            self._thread.join()
        for channel in self._channels.values():
            channel.join(deadline)
        self._ledger.retry_pending(now=True)
        return self._unsent()

    def reports(self) -> list[ChannelReport]:
        """How each plugin fares, in the order they were given."""
        waiting = [one.channel for one in self._rounds.open()]
        return [channel.report(waiting.count(name)) for name, channel in self._channels.items()]

    def __enter__(self) -> Dispatcher:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_up(self, left: Sequence[AlertWithDeliveries]) -> None:
        """Have what an earlier run wrote and did not deliver told now, and close what has expired meanwhile."""
        both = [(told.alert, stored) for told in left for stored in told.deliveries]
        deliveries = [one for one in starmap(self._left_over, both) if one is not None]
        if deliveries:
            again = sum(stored.standing.state is DeliveryState.ATTEMPTING for _, stored in both)
            message = "left from an earlier run and told now: %d deliveries, the newest of %r; %d perhaps once more"
            log.warning(message, len(deliveries), deliveries[-1].alert.text, again)
            self._todo.put(partial(self._rounds.add, deliveries))

    def _left_over(self, alert: Alert, stored: StoredDelivery) -> Delivery | None:
        """The delivery to make, if it is still worth making and somebody in use can."""
        chain, born = self._routes.chain(stored.channel, alert), born_at(alert)
        if time.monotonic() >= born + (stored.expires_at - alert.created_at).total_seconds():
            log.error("expired while facesecure did not run: %r was not told by %s", alert.text, stored.channel)
            attempts, error = stored.standing.attempts, stored.standing.error
            self._ledger.mark(alert, stored.channel, DeliveryStatus(DeliveryState.EXPIRED, attempts, error=error))
        elif not chain:
            log.warning("%r waits for plugin %s, which is not in use", alert.text, stored.channel)
        else:
            return Delivery(alert, stored.channel, chain, born, fresh=False, attempts=stored.standing.attempts)
        return None

    def _begin(self, alert: Alert, routes: Mapping[str, Sequence[Channel]], written: WriteResult, now: float) -> None:
        born = born_at(alert)
        for head, chain in routes.items():
            if written is WriteResult.NOW:
                self._rounds.step(alert, head, "written")
            if not chain:
                log.error("%r is for plugin %s, which is not in use, nor is a fallback of it", alert.text, head)
        self._rounds.add([Delivery(alert, head, chain, born) for head, chain in routes.items() if chain], now)

    def _ended(self, channel: Channel, delivery: Delivery, error: BaseException | None) -> None:
        self._todo.put(partial(self._rounds.ended, channel, delivery, error))

    def _stop(self, deadline: float) -> None:
        self._rounds.stopping, self._stop_at = True, deadline

    # The dispatcher's thread ------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._finished():
            self._wait()
            self._take_all()
            self._do(self._rounds.tick)
            self._ledger.retry_pending()
        for channel in self._channels.values():
            channel.finish()

    def _finished(self) -> bool:
        return self._rounds.stopping and (not self._rounds.unfinished() or time.monotonic() >= self._stop_at)

    def _wait(self) -> None:
        """Until there is something to do."""
        wake_at = min(self._rounds.wake_at(), self._ledger.wake_at(), self._stop_at)
        seconds = max(0.0, wake_at - time.monotonic())
        with suppress(queue.Empty):
            self._do(self._todo.get(timeout=min(seconds, threading.TIMEOUT_MAX)))

    def _take_all(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._do(self._todo.get_nowait())

    def _do(self, task: Callable[[float], None]) -> None:
        """A mistake in one alert's way must not end the others'."""
        try:
            task(time.monotonic())
        except Exception:
            log.exception("a mistake of the dispatcher's; please report it")

    def _unsent(self) -> dict[str, list[Alert]]:
        unsent: dict[str, list[Alert]] = {}
        level, fate = (
            (logging.WARNING, "kept for the next start") if self._ledger.keeps else (logging.ERROR, "not sent")
        )
        for delivery in self._rounds.open():
            unsent.setdefault(delivery.channel, []).append(delivery.alert)
            why = delivery.why or f"{delivery.channel} did not finish in time"
            log.log(level, "%s: %r; %s", fate, delivery.alert.text, why)
        return unsent


def _planned(alert: Alert, head: str, chain: Sequence[Channel]) -> PlannedDelivery:
    """What to write of a delivery: one that nobody can make has failed already."""
    if chain:
        return PlannedDelivery(head, expires_at(alert, chain))
    return PlannedDelivery(head, alert.created_at, DeliveryState.FAILED, f"{head} is not in use")


class ProgressFanOut:
    """The dispatcher's ``on_step`` where several follow it: each is told of every step, in the order they came."""

    def __init__(self) -> None:
        self._followers: list[OnStep] = []

    def follow(self, follower: OnStep) -> None:
        """Tell ``follower`` too. To be called before the dispatcher starts."""
        self._followers.append(follower)

    def __call__(self, alert: Alert, channel: str, what: str) -> None:
        for follower in self._followers:
            follower(alert, channel, what)
