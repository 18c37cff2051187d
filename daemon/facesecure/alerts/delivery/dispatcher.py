"""Deliver every alert: write it first, then have plugins send it, with fallbacks and retries, until it expires.

``send`` writes the alert and returns. A thread of the dispatcher makes the decisions (``scheduler``), each plugin's
thread sends (``channel``); deliveries that an earlier run left are resumed at the start. Delivery is at least once: an
alert that a plugin was sending when the process died is sent again, with the same identifier; one that was marked
delivered never is.
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
from facesecure.alerts.delivery.delivery import ChainLink, Delivery, created_monotonic, expires_at
from facesecure.alerts.delivery.durable_outbox import DurableOutbox, WriteResult
from facesecure.alerts.delivery.fallback import FallbackRouter
from facesecure.alerts.delivery.scheduler import DeliveryScheduler, OnStep
from facesecure.alerts.delivery.speech_deadline import SPEAK_WITHIN, AnnouncementDeadline
from facesecure.domain import Alert
from facesecure.domain.deliveries import (
    HELD,
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


def _ignore_step(alert: Alert, channel: str, step: str) -> None:
    """Do nothing: the default ``on_step``."""


class Dispatcher:
    """Deliver alerts through plugins. Any thread may call ``send`` and ``progress``.

    Example::

        dispatcher = Dispatcher(outbox=store.outbox, fallback={"google_home": "speaker"})
        dispatcher.attach(plugins)
        with dispatcher:  # starts the threads; the end of the block sends what is ready and closes the plugins
            dispatcher.send(alert)
    """

    def __init__(
        self,
        plugins: Mapping[str, AlertPlugin] | None = None,
        *,
        outbox: Outbox | None = None,
        fallback: Mapping[str, str] | None = None,
        on_step: OnStep = _ignore_step,
        capacity: int = CAPACITY,
        close_seconds: float = CLOSE_SECONDS,
        speak_within: float = SPEAK_WITHIN,
        rng: random.Random | None = None,
    ) -> None:
        """Use ``plugins``, by name; more can be attached before the start.

        ``outbox``: where alerts wait on the disk; without one they are lost when the process ends. ``fallback``: which
        plugin is tried when one fails, by name. ``on_step`` is called, on one thread, for every step of an alert:
        written, attempting, delivered, failed, expired, and what plugins report in between. ``capacity``: alerts that
        may wait for each plugin. ``close_seconds``: how long the end of ``with`` waits. Raises ValueError if the
        fallbacks go round in a circle.
        """
        self._outbox = DurableOutbox(outbox)
        self._channels: dict[str, Channel] = {}
        self._router = FallbackRouter(fallback)
        self._close_seconds = close_seconds
        speech = AnnouncementDeadline(speak_within)
        self._scheduler = DeliveryScheduler(
            self._channels, self._outbox, speech, on_step, capacity, rng or random.Random()
        )
        self._tasks: queue.SimpleQueue[Callable[[float], None]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
        self._closed = False
        self._stop_at = float("inf")
        self.attach(plugins or {})

    def attach(self, plugins: Mapping[str, AlertPlugin]) -> None:
        """Add ``plugins``, by name. To be called before ``start`` and before the first ``send``."""
        for name, plugin in plugins.items():
            self._channels[name] = Channel(name, plugin, self._outbox, self._attempt_ended)
            self._router.links[name] = self._channels[name].link

    def start(self) -> None:
        """Start the threads and resume what an earlier run left undelivered."""
        for name, after in self._router.without_fallback():
            log.warning("if plugin %s fails there is no substitute: its fallback %s is not in use", name, after)
        for channel in self._channels.values():
            channel.start()
        self._resume(self._outbox.pending())
        self._thread.start()

    def send(self, alert: Alert) -> None:
        """Write ``alert`` to the outbox and have it delivered. Returns at once and never raises.

        An alert that cannot be written is delivered all the same. After ``close`` it is written for the next start.
        """
        chains = {head: self._router.chain(head, alert) for head in self._router.primary(alert)}
        written = self._outbox.write(alert, [_planned(alert, head, chain) for head, chain in chains.items()])
        if written is WriteResult.BEFORE:
            log.warning("alert %s was sent before: %r", alert.identifier, alert.text)
        elif self._closed:
            fate = "it is sent at the next start" if self._outbox.keeps else "it is lost"
            log.error("not sent, facesecure is stopping: %r; %s", alert.text, fate)
        else:
            self._tasks.put(partial(self._begin, alert, chains, written))

    def routes(self, alert: Alert) -> dict[str, list[str]]:
        """Return the plugins that ``alert`` would go to, each with those that would be tried, itself first."""
        chains = {head: self._router.chain(head, alert) for head in self._router.primary(alert)}
        return {head: [link.name for link in chain] for head, chain in chains.items()}

    def progress(self, alert: Alert, step: str) -> None:
        """Record how far a plugin has come with ``alert`` (for ``PluginContext.progress``). Returns at once.

        "playing" means that the announcement is audible: no fallback interrupts it, and it counts as spoken.
        """
        self._tasks.put(partial(self._scheduler.progress, alert, step))

    def retry_now(self, plugin: str) -> None:
        """Try again at once what waits for ``plugin``, which may work again. Returns at once."""
        if (channel := self._channels.get(plugin)) is not None:
            self._tasks.put(partial(self._scheduler.retry_now, channel))

    def close(self, timeout: float | None = None) -> dict[str, list[Alert]]:
        """Let the plugins send what is ready, at most ``timeout`` seconds for all together, and close them.

        Returns the alerts that were not delivered, by the plugin they were for, and logs each; with an outbox they are
        sent at the next start, unless expired by then. Delays between attempts are not waited for. A plugin that hangs
        is abandoned on its thread, which does not keep the process alive. Further calls do nothing.
        """
        if self._closed:
            return {}
        self._closed = True
        deadline = time.monotonic() + (self._close_seconds if timeout is None else timeout)
        self._tasks.put(lambda _: self._stop(deadline))
        if self._thread.ident is None:
            self._run_waiting_tasks()
        else:
            self._thread.join()
        for channel in self._channels.values():
            channel.join(deadline)
        self._outbox.retry_pending(now=True)
        return self._undelivered()

    def reports(self) -> list[ChannelReport]:
        """Return the state of each plugin that has receivers, in the order they were attached."""
        waiting = [one.channel for one in self._scheduler.open()]
        used = [(name, channel) for name, channel in self._channels.items() if channel.link.has_receivers()]
        return [channel.report(waiting.count(name)) for name, channel in used]

    def __enter__(self) -> Dispatcher:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _resume(self, left: Sequence[AlertWithDeliveries]) -> None:
        """Send what an earlier run wrote and did not deliver, and close what has expired since."""
        both = [(one.alert, stored) for one in left for stored in one.deliveries if stored.channel not in HELD]
        deliveries = [one for one in starmap(self._left_over, both) if one is not None]
        if deliveries:
            repeated = sum(stored.status.state is DeliveryState.ATTEMPTING for _, stored in both)
            message = "sending %d deliveries left from an earlier run, the newest of %r; %d perhaps a second time"
            log.warning(message, len(deliveries), deliveries[-1].alert.text, repeated)
            self._tasks.put(partial(self._scheduler.add, deliveries))

    def _left_over(self, alert: Alert, stored: StoredDelivery) -> Delivery | None:
        """Return the delivery to make, if it has not expired and a plugin in use can make it."""
        chain, born = self._router.chain(stored.channel, alert), created_monotonic(alert)
        if time.monotonic() >= born + (stored.expires_at - alert.created_at).total_seconds():
            log.error("expired while facesecure did not run: %r was not delivered by %s", alert.text, stored.channel)
            attempts, error = stored.status.attempts, stored.status.error
            self._outbox.mark(alert, stored.channel, DeliveryStatus(DeliveryState.EXPIRED, attempts, error=error))
        elif not chain:
            log.warning("%r waits for plugin %s, which is not in use", alert.text, stored.channel)
        else:
            return Delivery(alert, stored.channel, chain, born, fresh=False, attempts=stored.status.attempts)
        return None

    def _begin(self, alert: Alert, chains: Mapping[str, Sequence[ChainLink]], written: WriteResult, now: float) -> None:
        born = created_monotonic(alert)
        for head, chain in chains.items():
            if written is WriteResult.NOW:
                self._scheduler.report_step(alert, head, "written")
            if not chain:
                log.error("%r is for plugin %s, which is not in use and has no fallback in use", alert.text, head)
        self._scheduler.add([Delivery(alert, head, chain, born) for head, chain in chains.items() if chain], now)

    def _attempt_ended(self, channel: Channel, delivery: Delivery, error: Exception | None) -> None:
        self._tasks.put(partial(self._scheduler.attempt_ended, channel, delivery, error))

    def _stop(self, deadline: float) -> None:
        self._scheduler.stopping, self._stop_at = True, deadline

    # The dispatcher's thread ------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._finished():
            self._wait()
            self._run_waiting_tasks()
            self._run(self._scheduler.tick)
            self._outbox.retry_pending()
        for channel in self._channels.values():
            channel.finish()

    def _finished(self) -> bool:
        return self._scheduler.stopping and (not self._scheduler.unfinished() or time.monotonic() >= self._stop_at)

    def _wait(self) -> None:
        """Sleep until there is something to do."""
        wake_at = min(self._scheduler.wake_at(), self._outbox.wake_at(), self._stop_at)
        seconds = max(0.0, wake_at - time.monotonic())
        with suppress(queue.Empty):
            self._run(self._tasks.get(timeout=min(seconds, threading.TIMEOUT_MAX)))

    def _run_waiting_tasks(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._run(self._tasks.get_nowait())

    def _run(self, task: Callable[[float], None]) -> None:
        """Run ``task``; an error in the handling of one alert must not stop the others."""
        try:
            task(time.monotonic())
        except Exception:
            log.exception("an error in the dispatcher; please report it")

    def _undelivered(self) -> dict[str, list[Alert]]:
        undelivered: dict[str, list[Alert]] = {}
        keeps = self._outbox.keeps
        level, fate = (logging.WARNING, "kept for the next start") if keeps else (logging.ERROR, "not sent")
        for delivery in self._scheduler.open():
            undelivered.setdefault(delivery.channel, []).append(delivery.alert)
            why = delivery.why or f"{delivery.channel} did not finish in time"
            log.log(level, "%s: %r; %s", fate, delivery.alert.text, why)
        return undelivered


def _planned(alert: Alert, head: str, chain: Sequence[ChainLink]) -> PlannedDelivery:
    """Return the record to write; one without a plugin in use has failed already."""
    if chain:
        return PlannedDelivery(head, expires_at(alert, chain))
    return PlannedDelivery(head, alert.created_at, DeliveryState.FAILED, f"{head} is not in use")


class ProgressFanOut:
    """An ``on_step`` for several followers: each is called with every step, in the order they were added.

    Example::

        steps = ProgressFanOut()
        dispatcher = Dispatcher(plugins, on_step=steps)
        steps.follow(drill.step)
    """

    def __init__(self) -> None:
        """Begin without followers."""
        self._followers: list[OnStep] = []

    def follow(self, follower: OnStep) -> None:
        """Add ``follower``. To be called before the dispatcher starts."""
        self._followers.append(follower)

    def __call__(self, alert: Alert, channel: str, step: str) -> None:
        """Call every follower."""
        for follower in self._followers:
            follower(alert, channel, step)
