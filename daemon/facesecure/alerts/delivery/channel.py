"""One plugin with its queue and its thread, isolated so that its failures affect no other plugin."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from facesecure.alerts.delivery.delivery import ChainLink, Delivery, DeliveryStage
from facesecure.alerts.delivery.durable_outbox import DurableOutbox
from facesecure.alerts.plugins.api import HasClose, PluginConfig
from facesecure.domain.deliveries import DeliveryState, DeliveryStatus
from facesecure.domain.errors import FacesecureError
from facesecure.domain.interfaces import AlertPlugin
from facesecure.util.containment import contained
from facesecure.util.redaction import bounded

PLAYING_SECONDS = 30.0
"""Time limit of an announcement that has begun to play, or its plugin's attempt_seconds if that is longer."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """The state of one plugin: attempts that delivered or failed, alerts dropped, deliveries of its own still open.

    ``busy_seconds`` is the duration of the present attempt so far; ``hung`` means that it exceeded its time limit and
    has not returned.
    """

    name: str
    sent: int
    failed: int
    dropped: int
    waiting: int
    busy_seconds: float
    hung: bool
    last_error: str


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt, as the plugin's thread gets it."""

    delivery: Delivery
    attempts: int


OnAttemptEnd = Callable[["Channel", Delivery, Exception | None], None]
"""Called on the plugin's thread with the channel, the delivery, and the error if the attempt failed."""


class Channel:
    """Feed one plugin, one alert at a time.

    The queue belongs to the dispatcher's thread. The plugin's own thread takes one job at a time and reports its
    result through ``on_attempt_end``.
    """

    def __init__(self, name: str, plugin: AlertPlugin, outbox: DurableOutbox, on_attempt_end: OnAttemptEnd) -> None:
        """Read the plugin's time limits; its thread begins with ``start``."""
        config = getattr(plugin, "config", None)
        config = config if isinstance(config, PluginConfig) else PluginConfig()
        speaks = bool(getattr(getattr(plugin, "plugin", plugin), "speaks", False))
        link = ChainLink(name, config.expires, speaks)
        if (has_receivers := getattr(plugin, "has_receivers", None)) is not None:
            link = replace(link, has_receivers=has_receivers)
        self.name, self.link, self._limit = name, link, config.attempt_seconds
        self.current: Delivery | None = None
        self.hung = False
        self.deadline = 0.0
        self.sent = self.failed = self.dropped = 0
        self.last_error = ""
        self._plugin, self._outbox, self._on_attempt_end = plugin, outbox, on_attempt_end
        self._since = 0.0
        self._fresh: deque[Delivery] = deque()
        self._retries: deque[Delivery] = deque()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"plugin-{name}", daemon=True)

    # The dispatcher's side --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the plugin's thread."""
        self._thread.start()

    def queue(self, delivery: Delivery) -> None:
        """Add ``delivery`` to the queue: fresh ones in the order they came, before retries."""
        delivery.stage = DeliveryStage.QUEUED
        (self._fresh if delivery.fresh else self._retries).append(delivery)

    def drain(self) -> list[Delivery]:
        """Empty the queue and return what was in it."""
        waiting = [one for one in (*self._fresh, *self._retries) if self._still_queued(one)]
        self._fresh.clear()
        self._retries.clear()
        return waiting

    def next_delivery(self) -> Delivery | None:
        """Take the first delivery off the queue; None if the queue is empty or the plugin is busy."""
        if self.current is not None:
            return None
        for line in (self._fresh, self._retries):
            while line:
                if self._still_queued(delivery := line.popleft()):
                    return delivery
        return None

    def assign(self, delivery: Delivery, now: float) -> None:
        """Begin an attempt at ``now`` (monotonic)."""
        delivery.stage, delivery.attempts = DeliveryStage.ATTEMPTING, delivery.attempts + 1
        self.current, self._since, self.deadline = delivery, now, now + self._limit
        self._jobs.put(Job(delivery, delivery.attempts))

    def extend_for_playback(self, now: float) -> None:
        """Extend the time limit of an announcement that is playing: a fallback would say it a second time."""
        self.deadline = max(self.deadline, now + max(self._limit, PLAYING_SECONDS))

    def overdue(self, now: float) -> bool:
        """Return whether the present attempt has exceeded its time limit at ``now``."""
        return self.current is not None and not self.hung and now >= self.deadline

    def mark_hung(self) -> str:
        """Give up on the present attempt, whose thread cannot be interrupted. Returns the reason."""
        self.hung, self.failed = True, self.failed + 1
        self.last_error = f"no answer within {self._limit:g} s"
        return self.last_error

    def attempt_ended(self, error: Exception | None) -> None:
        """Count the present attempt, which has returned in time or late."""
        self.current, was_hung, self.hung = None, self.hung, False
        self.sent += error is None
        self.failed += error is not None and not was_hung
        self.last_error = "" if error is None else bounded(str(error))

    def report(self, waiting: int) -> ChannelReport:
        """Return the counters; ``waiting`` is the number of open deliveries, which the scheduler knows."""
        busy = time.monotonic() - self._since if self.current is not None else 0.0
        return ChannelReport(self.name, self.sent, self.failed, self.dropped, waiting, busy, self.hung, self.last_error)

    def finish(self) -> None:
        """Have the thread close the plugin and end after its present job."""
        self._jobs.put(None)

    def join(self, deadline: float) -> None:
        """Wait for the thread until ``deadline`` (monotonic), or not at all if it hangs; then abandon it."""
        if self._thread.ident is not None and not self.hung:
            self._thread.join(max(0.0, deadline - time.monotonic()))

    def _still_queued(self, delivery: Delivery) -> bool:
        return delivery.stage is DeliveryStage.QUEUED and delivery.link is self.link

    # The plugin's thread ----------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._on_attempt_end(self, job.delivery, self._attempt(job))
            del job  # or it would be held until the next alert comes
        self._close()

    def _attempt(self, job: Job) -> Exception | None:
        """Send the alert, marking it in the outbox before and after.

        The mark that it was delivered is on the disk before the dispatcher learns of it.
        """
        delivery = job.delivery
        self._mark(job, DeliveryState.ATTEMPTING)
        try:
            contained(partial(self._plugin.send, delivery.alert), passed=FacesecureError)
        except Exception as error:  # noqa: BLE001 - the dispatcher reports it
            return error
        self._mark(job, DeliveryState.DELIVERED)
        return None

    def _mark(self, job: Job, state: DeliveryState) -> None:
        self._outbox.mark(job.delivery.alert, job.delivery.channel, DeliveryStatus(state, job.attempts, self.name))

    def _close(self) -> None:
        try:
            if isinstance(self._plugin, HasClose):
                contained(self._plugin.close, passed=FacesecureError)
        except Exception:
            log.exception("plugin %s failed to close", self.name)
