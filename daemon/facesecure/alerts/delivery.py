"""One alert on its way to one channel: what the store remembers of it, and what the dispatcher knows of it now."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, Protocol

from facesecure.domain import Alert

if TYPE_CHECKING:
    from facesecure.alerts.channel import Channel

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 300.0


class DeliveryState(StrEnum):
    """How far a delivery came. The last three are ends; only a plugin that answers late leaves one of them."""

    PENDING = "pending"
    ATTEMPTING = "attempting"
    """A plugin was told to send it, and nobody knows yet whether it did. After a restart it is tried again."""
    DELIVERED = "delivered"
    EXPIRED = "expired"
    FAILED = "failed"
    """It will not be tried: no plugin of its chain is in use, or too many newer ones wait."""

    @property
    def open(self) -> bool:
        return self in (DeliveryState.PENDING, DeliveryState.ATTEMPTING)


@dataclass(frozen=True, slots=True)
class Planned:
    """A delivery to be written with its alert: the channel it is for, and when it is no longer worth making."""

    channel: str
    expires_at: datetime
    state: DeliveryState = DeliveryState.PENDING
    error: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a delivery stands. ``by`` is the plugin that tried or delivered; ``error`` why the last attempt failed."""

    state: DeliveryState
    attempts: int
    by: str = ""
    error: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery as it was written."""

    channel: str
    expires_at: datetime
    standing: Standing


@dataclass(frozen=True, slots=True)
class Told:
    """An alert and what became of it on each channel."""

    alert: Alert
    deliveries: Sequence[StoredDelivery]


class Outbox(Protocol):
    """Where alerts wait on the disk (``store.outbox.Outbox``). What a method wrote is on the disk when it returns.

    Every method may raise StoreError, and may be called from any thread.
    """

    def write(self, alert: Alert, planned: Sequence[Planned]) -> bool:
        """Write ``alert`` and its deliveries in one transaction. False if it is there already; then nothing changed."""

    def mark(self, alert: str, channel: str, standing: Standing) -> None:
        """Say how the delivery of the alert with that identifier stands. One that was delivered stays delivered."""

    def pending(self) -> Sequence[Told]:
        """Alerts with deliveries that have not ended, and only those, oldest first."""


class Stage(Enum):
    """Where a delivery is at this moment."""

    QUEUED = auto()
    ATTEMPTING = auto()
    WAITING = auto()
    """Every channel of its chain has failed; it is tried again after a pause."""
    DONE = auto()


@dataclass(eq=False)
class Delivery:
    """An alert and the chain of plugins in use that may tell it: the first that does makes it done.

    ``born`` is when the alert was made on the monotonic clock, which no change of the wall clock moves. ``fresh`` ones
    are on their first round and go before all that wait for another.
    """

    alert: Alert
    channel: str
    chain: Sequence[Channel]
    born: float
    fresh: bool = True
    attempts: int = 0
    rounds: int = 0
    position: int = 0
    stage: Stage = Stage.WAITING
    due: float = 0.0
    errors: dict[str, str] = field(default_factory=dict)
    """Why the last attempt of each plugin of the chain failed."""

    @property
    def key(self) -> tuple[str, str]:
        return self.alert.identifier, self.channel

    @property
    def why(self) -> str:
        """Why it is not delivered, as far as anybody knows."""
        return "; ".join(f"{name}: {error}" for name, error in self.errors.items())

    @property
    def expires(self) -> float:
        """When nobody of the chain would tell it any more, monotonic."""
        return self.born + max(channel.expires for channel in self.chain)

    def worth(self, channel: Channel, now: float) -> bool:
        """Whether it is still worth telling through ``channel``."""
        return now < self.born + channel.expires

    def begin_again(self, now: float, chance: random.Random) -> None:
        """The chain has been gone through in vain: start over after a pause."""
        self.due = now + pause(self.rounds, chance)
        self.rounds, self.position, self.fresh, self.stage = self.rounds + 1, 0, False, Stage.WAITING


def pause(rounds: int, chance: random.Random) -> float:
    """Seconds until the next round: by chance up to a limit that doubles with each, so that no two keep step."""
    limit = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(rounds, 16))
    return chance.uniform(limit / 10, limit)


def born_at(alert: Alert) -> float:
    """When ``alert`` was made, on the monotonic clock; now, if the wall clock says that it is yet to come."""
    age = (datetime.now(UTC) - alert.created_at).total_seconds()
    return time.monotonic() - max(0.0, age)


def expires_at(alert: Alert, chain: Sequence[Channel]) -> datetime:
    """When nobody of ``chain`` would tell ``alert`` any more, by the wall clock."""
    return alert.created_at + timedelta(seconds=max((channel.expires for channel in chain), default=0.0))
