"""One plugin, its thread, and what waits for it: what it does to itself, it does to nobody else."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from facesecure.alerts.delivery.delivery import Delivery, DeliveryStage
from facesecure.alerts.delivery.durable_outbox import DurableOutbox
from facesecure.alerts.plugins.api import HasClose, PluginConfig
from facesecure.domain.deliveries import DeliveryState, DeliveryStatus
from facesecure.domain.interfaces import AlertPlugin

PLAYING_SECONDS = 30.0
"""An announcement that is heard already may take this long, or its plugin's attempt_seconds where they are more."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """How one plugin fares: attempts that delivered or failed, alerts dropped, deliveries of its own still open.

    ``busy_seconds`` is what the present attempt takes so far; ``hung`` that it took too long and has not come back.
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
    """One attempt."""

    delivery: Delivery
    attempts: int


Ended = Callable[["Channel", Delivery, BaseException | None], None]


class Channel:
    """Feeds one plugin, one alert at a time.

    Its queue belongs to the dispatcher's thread; the plugin's own thread takes one job at a time and says how it
    ended by calling ``ended``.
    """

    def __init__(self, name: str, plugin: AlertPlugin, ledger: DurableOutbox, ended: Ended) -> None:
        config = getattr(plugin, "config", None)
        config = config if isinstance(config, PluginConfig) else PluginConfig()
        self.name, self.expires, self._limit = name, config.expires, config.attempt_seconds
        self.speaks = bool(getattr(getattr(plugin, "plugin", plugin), "speaks", False))
        self.current: Delivery | None = None
        self.hung = False
        self.deadline = 0.0
        self.sent = self.failed = self.dropped = 0
        self.last_error = ""
        self._plugin, self._ledger, self._ended = plugin, ledger, ended
        self._since = 0.0
        self._fresh: deque[Delivery] = deque()
        self._backlog: deque[Delivery] = deque()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"plugin-{name}", daemon=True)

    # The dispatcher's side --------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def queue(self, delivery: Delivery) -> None:
        """Let ``delivery`` wait for this plugin: fresh ones in the order they came, before those tried in vain."""
        delivery.stage = DeliveryStage.QUEUED
        (self._fresh if delivery.fresh else self._backlog).append(delivery)

    def take_all(self) -> list[Delivery]:
        """Empty the queue."""
        waiting = [one for one in (*self._fresh, *self._backlog) if self._waits_here(one)]
        self._fresh.clear()
        self._backlog.clear()
        return waiting

    def next(self) -> Delivery | None:
        """The first that waits; None where none does or the plugin is busy."""
        if self.current is not None:
            return None
        for line in (self._fresh, self._backlog):
            while line:
                if self._waits_here(delivery := line.popleft()):
                    return delivery
        return None

    def assign(self, delivery: Delivery, now: float) -> None:
        """Begin an attempt."""
        delivery.stage, delivery.attempts = DeliveryStage.ATTEMPTING, delivery.attempts + 1
        self.current, self._since, self.deadline = delivery, now, now + self._limit
        self._jobs.put(Job(delivery, delivery.attempts))

    def heard(self, now: float) -> None:
        """The announcement is playing: cutting in now would say it twice."""
        self.deadline = max(self.deadline, now + max(self._limit, PLAYING_SECONDS))

    def overdue(self, now: float) -> bool:
        return self.current is not None and not self.hung and now >= self.deadline

    def hang(self) -> str:
        """Give up on the present attempt, which nothing can stop. Returns why."""
        self.hung, self.failed = True, self.failed + 1
        self.last_error = f"no answer within {self._limit:g} s"
        return self.last_error

    def released(self, error: BaseException | None) -> None:
        """The present attempt is over, however late."""
        self.current, was_hung, self.hung = None, self.hung, False
        self.sent += error is None
        self.failed += error is not None and not was_hung
        self.last_error = "" if error is None else _in_words(error)

    def report(self, waiting: int) -> ChannelReport:
        busy = time.monotonic() - self._since if self.current is not None else 0.0
        return ChannelReport(self.name, self.sent, self.failed, self.dropped, waiting, busy, self.hung, self.last_error)

    def finish(self) -> None:
        """Let the thread close the plugin and end, when it has done what it is at."""
        self._jobs.put(None)

    def join(self, deadline: float) -> None:
        """Wait for that until ``deadline`` (monotonic); then leave the thread behind, or at once if it hangs."""
        if self._thread.ident is not None and not self.hung:
            self._thread.join(max(0.0, deadline - time.monotonic()))

    def _waits_here(self, delivery: Delivery) -> bool:
        return delivery.stage is DeliveryStage.QUEUED and delivery.chain[delivery.position] is self

    # The plugin's thread ----------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._ended(self, job.delivery, self._attempt(job))
            del job  # or it would be held until the next alert comes
        self._close()

    def _attempt(self, job: Job) -> BaseException | None:
        """Written before and after: the mark that it was delivered is on the disk before anybody hears of it."""
        delivery = job.delivery
        self._mark(job, DeliveryState.ATTEMPTING)
        try:
            self._plugin.send(delivery.alert)
        except (Exception, SystemExit) as error:
            log.debug("plugin %s failed at attempt %d", self.name, job.attempts, exc_info=True)
            return error
        self._mark(job, DeliveryState.DELIVERED)
        return None

    def _mark(self, job: Job, state: DeliveryState) -> None:
        self._ledger.mark(job.delivery.alert, job.delivery.channel, DeliveryStatus(state, job.attempts, self.name))

    def _close(self) -> None:
        try:
            if isinstance(self._plugin, HasClose):
                self._plugin.close()
        except (Exception, SystemExit):
            log.exception("plugin %s failed to close", self.name)


def _in_words(error: BaseException) -> str:
    """What can be printed and stored: a file's name in an OSError need not be text."""
    return str(error).encode(errors="backslashreplace").decode() or type(error).__name__
