"""Limit how often passwords may be tried, from an address and on an account.

Failed tries pile up and melt away, one in ten minutes. Above a height that mistyping does not reach, each one more
doubles the time until the next is looked at: up to 15 minutes for an address, and a minute for an account, so that an
attacker cannot lock a family out of its own page. An address from which the account is signed in waits only for itself.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from facesecure.storage.sign_in_attempts import Level, SignInAttempts

MELTS = timedelta(minutes=10)
"""How long until a failed try is forgotten."""
_HIGHEST = 40.0
_REMEMBERED = 1000
_IPV6_HOUSEHOLD = 64
"""Bits of an IPv6 address that name a household: one machine has all the others."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What is counted, how many failures are ``free``, and the longest wait in seconds."""

    counted: str
    free: int
    longest: float

    def wait(self, level: Level, now: datetime) -> float:
        """Return seconds until the next try is looked at; 0 for one try if the clock was set back since the last."""
        if now < level.at:
            return 0.0
        height = melted(level, now).height
        if height < self.free:
            return 0.0
        wait = float(min(self.longest, 2.0 ** min(height - self.free, 30)))
        return max(0.0, wait - (now - level.at).total_seconds())


def address_limit(address: str) -> Limit:
    """Return the limit of the address that a browser has."""
    return Limit(f"address {household(address)}", 10, 900.0)


def account_limit(name_key: str) -> Limit:
    """Return the limit of the account that somebody tries to use, whether there is one or not."""
    return Limit(f"account {name_key}", 10, 60.0)


def session_limit(identifier: str) -> Limit:
    """Return the limit of a session whose password is asked for again."""
    return Limit(f"session {identifier}", 5, 900.0)


NOTED = Limit("entries in the audit log", 20, 600.0)
"""Refused sign-ins that are written to the audit log: an attacker must not fill it."""


class SignInLimits:
    """Counts tries, before they are looked at: whatever happens then, they were counted.

    Example::

        if (seconds := limits.take([address_limit(address), account_limit("anna")])) > 0:
            ...  # refuse
    """

    def __init__(self, attempts: SignInAttempts, now: Callable[[], datetime]) -> None:
        self._attempts, self._now = attempts, now
        self._waiting: dict[str, tuple[datetime, datetime]] = {}
        """Since when and until when nothing is looked at: a flood of tries does not reach the database."""

    def take(self, limits: Sequence[Limit], beside: Sequence[Limit] = ()) -> float:
        """Count a try and return 0, or return the seconds to wait, and count nothing. Raises StoreError.

        ``beside`` are counted, too, and make nobody wait.
        """
        now, waits = self._now(), [0.0]
        if (known := max(self._known_wait(one, now) for one in limits)) > 0:
            return math.ceil(known)

        def change(levels: Mapping[str, Level]) -> Mapping[str, Level]:
            found = {one.counted: one.wait(levels[one.counted], now) for one in limits}
            waits[0] = max(found.values())
            if waits[0] > 0:
                self._remember(found, now)
                return {}
            return {one: _higher(level, now, 1.0) for one, level in levels.items()}

        self._attempts.change([one.counted for one in (*limits, *beside)], change)
        return math.ceil(waits[0])

    def give_back(self, limits: Sequence[Limit]) -> None:
        """Take back that a try was counted, which turned out to be right."""
        self._attempts.change(
            [one.counted for one in limits],
            lambda levels: {one: Level(max(0.0, level.height - 1.0), level.at) for one, level in levels.items()},
        )

    def _known_wait(self, limit: Limit, now: datetime) -> float:
        since, until = self._waiting.get(limit.counted, (now, now))
        return (until - now).total_seconds() if since <= now < until else 0.0

    def _remember(self, waits: Mapping[str, float], now: datetime) -> None:
        if len(self._waiting) > _REMEMBERED:
            self._waiting.clear()
        self._waiting |= {one: (now, now + timedelta(seconds=wait)) for one, wait in waits.items() if wait > 0}

    def height(self, limit: Limit) -> float:
        """Return how high failures are piled up at present."""
        found = [0.0]

        def change(levels: Mapping[str, Level]) -> Mapping[str, Level]:
            found[0] = melted(levels[limit.counted], self._now()).height
            return {}

        self._attempts.change([limit.counted], change)
        return found[0]


def melted(level: Level, now: datetime) -> Level:
    """Return the level as it is ``now``; unchanged if the clock was set back."""
    passed = max(timedelta(), now - level.at)
    return Level(max(0.0, level.height - passed / MELTS), now)


def _higher(level: Level, now: datetime, by: float) -> Level:
    return Level(min(melted(level, now).height + by, _HIGHEST), now)


def household(address: str) -> str:
    """Return the address, or for IPv6 the network of the household that it belongs to."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, _IPV6_HOUSEHOLD), strict=False))
    return str(found)
