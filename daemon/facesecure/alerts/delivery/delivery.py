"""One alert on its way to one channel: what the store remembers of it, and what the dispatcher knows of it now."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING

from facesecure.domain import Alert

if TYPE_CHECKING:
    from facesecure.alerts.delivery.channel import Channel

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 300.0


class DeliveryStage(Enum):
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
    stage: DeliveryStage = DeliveryStage.WAITING
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
        self.rounds, self.position, self.fresh, self.stage = self.rounds + 1, 0, False, DeliveryStage.WAITING


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
