"""The order of deliveries: which plugin is tried, in which order, when again, and until when. Has no thread itself."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence

from facesecure.alerts.delivery.channel import Channel
from facesecure.alerts.delivery.delivery import Delivery, DeliveryStage
from facesecure.alerts.delivery.durable_outbox import DurableOutbox
from facesecure.alerts.delivery.speech_deadline import AnnouncementDeadline
from facesecure.domain import Alert
from facesecure.domain.deliveries import DeliveryState, DeliveryStatus
from facesecure.util.containment import ContainedError

PLAYING = "playing"
"""The step of a plugin's progress that means: the announcement is audible now."""

OnStep = Callable[[Alert, str, str], None]
"""Called with an alert, a channel, and how far the alert has come there."""

log = logging.getLogger(__name__)


class DeliveryScheduler:
    """Keep all open deliveries and assign them to channels. Not thread-safe: one thread makes all calls.

    A delivery goes to the next plugin of its chain at once if a plugin fails, hangs, or is hung already. At the end of
    the chain it waits, longer each time, and starts again from the beginning, until it has expired for the whole
    chain. Example::

        scheduler.add(deliveries, time.monotonic())
        scheduler.tick(time.monotonic())
        sleep_until(scheduler.wake_at())
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        outbox: DurableOutbox,
        speech: AnnouncementDeadline,
        on_step: OnStep,
        capacity: int,
        rng: random.Random,
    ) -> None:
        """``capacity``: open deliveries of one channel; the oldest is dropped beyond that. ``rng``: for the delays."""
        self.stopping = False
        self._channels, self._outbox, self._speech = channels, outbox, speech
        self._on_step, self._capacity, self._rng = on_step, capacity, rng
        self._open: dict[tuple[str, str], Delivery] = {}

    def add(self, deliveries: Sequence[Delivery], now: float) -> None:
        """Begin ``deliveries``, of one alert or left by an earlier run; those that are open already are ignored."""
        deliveries = [one for one in deliveries if one.key not in self._open]
        self._speech.watch(one for one in deliveries if one.fresh)
        for delivery in deliveries:
            self._enforce_capacity(delivery.channel)
            self._open[delivery.key] = delivery
            self._queue(delivery, now)

    def attempt_ended(self, channel: Channel, delivery: Delivery, error: Exception | None, now: float) -> None:
        """Handle the result of an attempt, in time or late."""
        late, had_failed = channel.hung, channel.hung or bool(channel.last_error)
        channel.attempt_ended(error)
        if error is None:
            self._delivered(channel, delivery)
        elif late:
            log.warning("plugin %s returned late and did not send %r: %s", channel.name, delivery.alert.text, error)
        else:
            self._attempt_failed(channel, delivery, error, now)
        if late or (had_failed and error is None):
            self.retry_now(channel, now)
        self._assign_next(channel, now)

    def progress(self, alert: Alert, step: str, now: float) -> None:
        """Handle a plugin's own report of how far it has come with ``alert``."""
        for channel in self._channels.values():
            if channel.current is not None and channel.current.alert.identifier == alert.identifier:
                self.report_step(alert, channel.name, step)
                if step == PLAYING:
                    channel.extend_for_playback(now)
                    if channel.link.speaks:
                        self._speech.playing(alert)

    def tick(self, now: float) -> None:
        """Do everything that is due: time-outs, expiry, retries and the speech deadline."""
        for channel in self._channels.values():
            if channel.overdue(now):
                self._attempt_hangs(channel, now)
        for delivery in list(self._open.values()):
            if delivery.stage in (DeliveryStage.WAITING, DeliveryStage.QUEUED) and now >= delivery.expires:
                self._expired(delivery)
            elif delivery.stage is DeliveryStage.WAITING and now >= delivery.retry_at and not self.stopping:
                self._queue(delivery, now)
        self._speech.tick(now, self._why_unspoken)

    def wake_at(self) -> float:
        """Return when ``tick`` is due if nothing else happens, monotonic."""
        busy = [channel.deadline for channel in self._channels.values() if channel.current and not channel.hung]
        waiting = [min(one.retry_at, one.expires) for one in self._open.values() if one.stage is DeliveryStage.WAITING]
        queued = [one.expires for one in self._open.values() if one.stage is DeliveryStage.QUEUED]
        if self.stopping:
            waiting = []
        return min([*busy, *waiting, *queued, self._speech.wake_at()])

    def unfinished(self) -> bool:
        """Return whether an attempt is in progress or about to begin."""
        return any(one.stage in (DeliveryStage.QUEUED, DeliveryStage.ATTEMPTING) for one in self._open.values())

    def open(self) -> list[Delivery]:
        """Return what is not delivered, in the order it came."""
        return list(self._open.values())

    def report_step(self, alert: Alert, channel: str, step: str) -> None:
        """Call ``on_step``, logging what it raises."""
        try:
            self._on_step(alert, channel, str(step))
        except Exception:
            log.exception("a follower of the deliveries failed on alert %s", alert.identifier)

    # Assigning deliveries to channels ---------------------------------------------------------------------------

    def _queue(self, delivery: Delivery, now: float) -> None:
        """Queue it for the first plugin of its chain, from its position on, that may work."""
        for position in range(delivery.position, len(delivery.chain)):
            link = delivery.chain[position]
            channel = self._channels[link.name]
            if not channel.hung and not delivery.expired_for(link, now):
                delivery.position = position
                channel.queue(delivery)
                self._assign_next(channel, now)
                return
        if now >= delivery.expires:
            self._expired(delivery)
        else:
            delivery.schedule_retry(now, self._rng)

    def _assign_next(self, channel: Channel, now: float) -> None:
        """Give an idle channel its next delivery."""
        while (delivery := channel.next_delivery()) is not None:
            if delivery.expired_for(channel.link, now):
                self._next_in_chain(delivery, now)
            else:
                channel.assign(delivery, now)
                self.report_step(delivery.alert, channel.name, DeliveryState.ATTEMPTING)

    def _next_in_chain(self, delivery: Delivery, now: float) -> None:
        delivery.position += 1
        self._queue(delivery, now)

    def retry_now(self, channel: Channel, now: float) -> None:
        """End the delays of what waits for ``channel``, which works again."""
        for delivery in self._open.values():
            if delivery.stage is DeliveryStage.WAITING and channel.link in delivery.chain:
                delivery.retry_at = now

    # Results of attempts ----------------------------------------------------------------------------------------

    def _delivered(self, channel: Channel, delivery: Delivery) -> None:
        if channel.link.speaks:
            self._speech.spoken(delivery.alert)
        self._close(delivery)
        self.report_step(delivery.alert, channel.name, DeliveryState.DELIVERED)
        if channel.name != delivery.channel or delivery.attempts > 1:
            message = "%r was delivered by plugin %s for %s, on attempt %d"
            log.warning(message, delivery.alert.text, channel.name, delivery.channel, delivery.attempts)

    def _attempt_failed(self, channel: Channel, delivery: Delivery, error: Exception, now: float) -> None:
        level = logging.WARNING if delivery.passes else logging.ERROR
        message = "plugin %s failed to send %r: %s"
        bug = error if isinstance(error, ContainedError) else None
        log.log(level, message, channel.name, delivery.alert.text, error, exc_info=bug)
        self._fall_back(channel, delivery, now)

    def _attempt_hangs(self, channel: Channel, now: float) -> None:
        """Pass its alert, and all that are queued for it, to the next plugins in their chains."""
        delivery, why = channel.current, channel.mark_hung()
        assert delivery is not None
        message = "plugin %s hangs while sending %r: %s; alerts queued for it go to its fallback"
        log.error(message, channel.name, delivery.alert.text, why)
        self._fall_back(channel, delivery, now)
        for one in channel.drain():
            one.errors[channel.name] = "hangs"
            self._next_in_chain(one, now)

    def _fall_back(self, channel: Channel, delivery: Delivery, now: float) -> None:
        delivery.errors[channel.name] = channel.last_error
        if channel.link.speaks:
            self._speech.interrupted(delivery.alert)
        self.report_step(delivery.alert, channel.name, DeliveryState.FAILED)
        if delivery.stage is DeliveryStage.DONE:
            return
        attempts = delivery.attempts  # of this one: the next in the chain may have begun before this is written
        self._next_in_chain(delivery, now)
        if delivery.key not in self._open:
            return
        status = DeliveryStatus(DeliveryState.PENDING, attempts, channel.name, delivery.why)
        self._outbox.mark(delivery.alert, delivery.channel, status)

    # Ends of deliveries -----------------------------------------------------------------------------------------

    def _enforce_capacity(self, name: str) -> None:
        mine = [one for one in self._open.values() if one.channel == name and one.stage is not DeliveryStage.ATTEMPTING]
        if len(mine) < self._capacity:
            return
        oldest, channel = mine[0], self._channels.get(name)
        dropped = 1
        if channel is not None:
            channel.dropped = dropped = channel.dropped + 1
        message = "plugin %s has %d alerts waiting: the oldest is not sent: %r (%d dropped so far)"
        log.error(message, name, len(mine), oldest.alert.text, dropped)
        self._end(oldest, DeliveryState.FAILED, f"{len(mine)} newer alerts waited")

    def _expired(self, delivery: Delivery) -> None:
        message = "expired: %r was not delivered by %s, after %d attempts: %s"
        why = delivery.why or "no attempt was made in time"
        log.error(message, delivery.alert.text, delivery.channel, delivery.attempts, why)
        self._end(delivery, DeliveryState.EXPIRED, delivery.why)

    def _end(self, delivery: Delivery, state: DeliveryState, why: str) -> None:
        self._close(delivery)
        self.report_step(delivery.alert, delivery.channel, state)
        self._outbox.mark(delivery.alert, delivery.channel, DeliveryStatus(state, delivery.attempts, error=why))

    def _close(self, delivery: Delivery) -> None:
        delivery.stage = DeliveryStage.DONE
        self._open.pop(delivery.key, None)

    def _why_unspoken(self, alert: Alert) -> str:
        """Return the known reasons why no plugin has spoken ``alert``."""
        mine: Iterable[Delivery] = (one for one in self._open.values() if one.alert.identifier == alert.identifier)
        return "; ".join(_trouble(one) for one in mine if one.spoken) or "every attempt has failed"


def _trouble(delivery: Delivery) -> str:
    if delivery.why:
        return delivery.why
    state = "busy with other alerts" if delivery.stage is DeliveryStage.QUEUED else "no answer yet"
    return f"{delivery.link.name}: {state}"
