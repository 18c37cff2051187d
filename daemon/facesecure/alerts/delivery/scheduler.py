"""The rules of delivery: who is tried, in which order, again when, and until when. Without a thread of its own."""

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
from facesecure.domain.errors import FacesecureError

PLAYING = "playing"
"""The step of a plugin's progress that means: somebody hears it now."""

OnStep = Callable[[Alert, str, str], None]
"""Told of an alert, a channel, and how far it has come there."""

log = logging.getLogger(__name__)


class DeliveryScheduler:
    """All open deliveries. Only one thread may call; what it decides, the channels' own threads do.

    A delivery goes along its chain at once, from a plugin that fails, hangs or is hung already to the next. At the end
    of the chain it waits, longer each time, and starts from the beginning, until nobody of the chain would tell it any
    more.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        ledger: DurableOutbox,
        spoken: AnnouncementDeadline,
        on_step: OnStep,
        capacity: int,
        chance: random.Random,
    ) -> None:
        self.stopping = False
        self._channels, self._ledger, self._spoken = channels, ledger, spoken
        self._on_step, self._capacity, self._chance = on_step, capacity, chance
        self._open: dict[tuple[str, str], Delivery] = {}

    def add(self, deliveries: Sequence[Delivery], now: float) -> None:
        """Take up deliveries, of one alert or of what an earlier run left."""
        deliveries = [one for one in deliveries if one.key not in self._open]
        self._spoken.watch(one for one in deliveries if one.fresh)
        for delivery in deliveries:
            self._make_room(delivery.channel)
            self._open[delivery.key] = delivery
            self._place(delivery, now)

    def ended(self, channel: Channel, delivery: Delivery, error: BaseException | None, now: float) -> None:
        """An attempt is over, in time or late."""
        late, troubled = channel.hung, channel.hung or bool(channel.last_error)
        channel.released(error)
        if error is None:
            self._delivered(channel, delivery)
        elif late:
            log.warning("plugin %s came back, without having sent %r: %s", channel.name, delivery.alert.text, error)
        else:
            self._attempt_failed(channel, delivery, error, now)
        if late or (troubled and error is None):
            self._works_again(channel, now)
        self._pump(channel, now)

    def heard(self, alert: Alert, step: str, now: float) -> None:
        """A plugin tells how far it has come."""
        for channel in self._channels.values():
            if channel.current is not None and channel.current.alert.identifier == alert.identifier:
                self.step(alert, channel.name, step)
                if step == PLAYING:
                    channel.heard(now)
                    if channel.speaks:
                        self._spoken.playing(alert)

    def tick(self, now: float) -> None:
        """Do what is due."""
        for channel in self._channels.values():
            if channel.overdue(now):
                self._hangs(channel, now)
        for delivery in list(self._open.values()):
            if delivery.stage in (DeliveryStage.WAITING, DeliveryStage.QUEUED) and now >= delivery.expires:
                self._expired(delivery)
            elif delivery.stage is DeliveryStage.WAITING and now >= delivery.due and not self.stopping:
                self._place(delivery, now)
        self._spoken.tick(now, self._why)

    def wake_at(self) -> float:
        """When ``tick`` has something to do, if nothing else happens."""
        busy = [channel.deadline for channel in self._channels.values() if channel.current and not channel.hung]
        waiting = [min(one.due, one.expires) for one in self._open.values() if one.stage is DeliveryStage.WAITING]
        queued = [one.expires for one in self._open.values() if one.stage is DeliveryStage.QUEUED]
        if self.stopping:
            waiting = []
        return min([*busy, *waiting, *queued, self._spoken.wake_at()])

    def unfinished(self) -> bool:
        """Whether an attempt is under way or about to begin."""
        return any(one.stage in (DeliveryStage.QUEUED, DeliveryStage.ATTEMPTING) for one in self._open.values())

    def open(self) -> list[Delivery]:
        """What is not delivered, in the order it came."""
        return list(self._open.values())

    def step(self, alert: Alert, channel: str, step: str) -> None:
        """Tell whoever watches."""
        try:
            self._on_step(alert, channel, str(step))
        except Exception:
            log.exception("whoever watches alert %s has failed", alert.identifier)

    # ------------------------------------------------------------------------------------------------------------

    def _place(self, delivery: Delivery, now: float) -> None:
        """Queue it for the first plugin of its chain, from where it is, that may work."""
        for position in range(delivery.position, len(delivery.chain)):
            channel = delivery.chain[position]
            if not channel.hung and delivery.worth(channel, now):
                delivery.position = position
                channel.queue(delivery)
                self._pump(channel, now)
                return
        if now >= delivery.expires:
            self._expired(delivery)
        else:
            delivery.begin_again(now, self._chance)

    def _pump(self, channel: Channel, now: float) -> None:
        """Give an idle channel its next delivery."""
        while (delivery := channel.next()) is not None:
            if delivery.worth(channel, now):
                channel.assign(delivery, now)
                self.step(delivery.alert, channel.name, DeliveryState.ATTEMPTING)
            else:
                self._next_in_chain(delivery, now)

    def _next_in_chain(self, delivery: Delivery, now: float) -> None:
        delivery.position += 1
        self._place(delivery, now)

    def _delivered(self, channel: Channel, delivery: Delivery) -> None:
        if channel.speaks:
            self._spoken.spoken(delivery.alert)
        self._close(delivery)
        self.step(delivery.alert, channel.name, DeliveryState.DELIVERED)
        if channel.name != delivery.channel or delivery.attempts > 1:
            message = "%r was delivered by plugin %s for %s, at attempt %d"
            log.warning(message, delivery.alert.text, channel.name, delivery.channel, delivery.attempts)

    def _attempt_failed(self, channel: Channel, delivery: Delivery, error: BaseException, now: float) -> None:
        bug = None if isinstance(error, FacesecureError) else error
        level = logging.WARNING if delivery.rounds else logging.ERROR
        log.log(level, "plugin %s failed to send %r: %s", channel.name, delivery.alert.text, error, exc_info=bug)
        self._moves_on(channel, delivery, now)

    def _hangs(self, channel: Channel, now: float) -> None:
        """Its alert and all that wait for it go to the next in their chains."""
        delivery, why = channel.current, channel.hang()
        assert delivery is not None
        log.error("plugin %s hangs at %r: %s; what waits for it goes on", channel.name, delivery.alert.text, why)
        self._moves_on(channel, delivery, now)
        for one in channel.take_all():
            one.errors[channel.name] = "hangs"
            self._next_in_chain(one, now)

    def _moves_on(self, channel: Channel, delivery: Delivery, now: float) -> None:
        delivery.errors[channel.name] = channel.last_error
        if channel.speaks:
            self._spoken.broken_off(delivery.alert)
        self.step(delivery.alert, channel.name, DeliveryState.FAILED)
        if delivery.stage is DeliveryStage.DONE:
            return
        attempts = delivery.attempts  # of this one: the next in the chain may be at it before this is written
        self._next_in_chain(delivery, now)
        if delivery.key not in self._open:
            return
        standing = DeliveryStatus(DeliveryState.PENDING, attempts, channel.name, delivery.why)
        self._ledger.mark(delivery.alert, delivery.channel, standing)

    def _works_again(self, channel: Channel, now: float) -> None:
        """What waits for a pause to end need not wait any longer."""
        for delivery in self._open.values():
            if delivery.stage is DeliveryStage.WAITING and channel in delivery.chain:
                delivery.due = now

    def _make_room(self, name: str) -> None:
        mine = [one for one in self._open.values() if one.channel == name and one.stage is not DeliveryStage.ATTEMPTING]
        if len(mine) < self._capacity:
            return
        oldest, channel = mine[0], self._channels.get(name)
        dropped = 1
        if channel is not None:
            channel.dropped = dropped = channel.dropped + 1
        message = "plugin %s has %d alerts waiting: the oldest is not sent: %r (%d dropped so far)"
        log.error(message, name, len(mine), oldest.alert.text, dropped)
        self._ends(oldest, DeliveryState.FAILED, f"{len(mine)} newer alerts waited")

    def _expired(self, delivery: Delivery) -> None:
        message = "expired: %r was not delivered by %s, after %d attempts: %s"
        why = delivery.why or "its turn did not come"
        log.error(message, delivery.alert.text, delivery.channel, delivery.attempts, why)
        self._ends(delivery, DeliveryState.EXPIRED, delivery.why)

    def _ends(self, delivery: Delivery, state: DeliveryState, why: str) -> None:
        self._close(delivery)
        self.step(delivery.alert, delivery.channel, state)
        self._ledger.mark(delivery.alert, delivery.channel, DeliveryStatus(state, delivery.attempts, error=why))

    def _close(self, delivery: Delivery) -> None:
        delivery.stage = DeliveryStage.DONE
        self._open.pop(delivery.key, None)

    def _why(self, alert: Alert) -> str:
        """What is known of an alert that nothing has said."""
        mine: Iterable[Delivery] = (one for one in self._open.values() if one.alert.identifier == alert.identifier)
        speaking = [one for one in mine if any(channel.speaks for channel in one.chain)]
        return "; ".join(_trouble(one) for one in speaking) or "every attempt has failed"


def _trouble(delivery: Delivery) -> str:
    if delivery.why:
        return delivery.why
    state = "busy with others" if delivery.stage is DeliveryStage.QUEUED else "no answer yet"
    return f"{delivery.chain[delivery.position].name}: {state}"
