"""One alert on its way to one channel: its chain of plugins, its attempts, and when it is retried or expires."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from facesecure.domain import Alert
from facesecure.util.backoff import BackoffPolicy

RETRIES = BackoffPolicy(first=2.0, longest=300.0, jitter=(0.1, 1.0))
"""Delays between two passes through a chain; the wide jitter keeps deliveries of one outage from staying in step."""


def _always() -> bool:
    return True


class DeliveryStage(Enum):
    """The stage of a delivery."""

    QUEUED = auto()
    ATTEMPTING = auto()
    WAITING = auto()
    """Every channel of its chain has failed; it is retried after a delay."""
    DONE = auto()


@dataclass(frozen=True, slots=True)
class ChainLink:
    """A plugin as a delivery sees it: its name, the age in seconds at which it drops an alert, whether it speaks.

    ``has_receivers`` returns whether anybody gets alerts by it now; where nobody does, only rules that name it use it.
    """

    name: str
    expires: float
    speaks: bool = False
    has_receivers: Callable[[], bool] = _always


@dataclass(eq=False)
class Delivery:
    """An alert and the chain of plugins that may deliver it; the first that succeeds ends the delivery.

    ``born`` is when the alert was created on the monotonic clock, which no change of the wall clock moves. ``fresh``
    deliveries are on their first pass through the chain and are sent before retries.
    """

    alert: Alert
    channel: str
    chain: Sequence[ChainLink]
    born: float
    fresh: bool = True
    attempts: int = 0
    passes: int = 0
    position: int = 0
    stage: DeliveryStage = DeliveryStage.WAITING
    retry_at: float = 0.0
    errors: dict[str, str] = field(default_factory=dict)
    """Why the last attempt of each plugin of the chain failed."""

    @property
    def key(self) -> tuple[str, str]:
        """The identifiers of the alert and of the channel it is for."""
        return self.alert.identifier, self.channel

    @property
    def link(self) -> ChainLink:
        """The plugin whose turn it is."""
        return self.chain[self.position]

    @property
    def why(self) -> str:
        """The known reasons why it is not delivered; empty before the first failure."""
        return "; ".join(f"{name}: {error}" for name, error in self.errors.items())

    @property
    def spoken(self) -> bool:
        """True if a plugin of its chain speaks aloud."""
        return any(link.speaks for link in self.chain)

    @property
    def expires(self) -> float:
        """When the last plugin of the chain drops it, monotonic."""
        return self.born + max(link.expires for link in self.chain)

    def expired_for(self, link: ChainLink, now: float) -> bool:
        """Return whether the alert is too old for ``link`` at ``now`` (monotonic)."""
        return now >= self.born + link.expires

    def schedule_retry(self, now: float, rng: random.Random) -> None:
        """Return to the start of the chain, to be tried again after a delay."""
        self.retry_at = now + RETRIES.delay(self.passes, rng)
        self.passes, self.position, self.fresh, self.stage = self.passes + 1, 0, False, DeliveryStage.WAITING


def created_monotonic(alert: Alert) -> float:
    """Return when ``alert`` was created, on the monotonic clock; now if its wall-clock time lies in the future."""
    age = (datetime.now(UTC) - alert.created_at).total_seconds()
    return time.monotonic() - max(0.0, age)


def expires_at(alert: Alert, chain: Sequence[ChainLink]) -> datetime:
    """Return the wall-clock time at which the last plugin of ``chain`` drops ``alert``."""
    return alert.created_at + timedelta(seconds=max((link.expires for link in chain), default=0.0))
