"""Two clocks: one for the time of day, which anybody may set; one for how long something lasts, which nobody can."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """What the policy needs to know of time."""

    @property
    def boot(self) -> str:
        """Which start of the machine ``steady`` counts from; empty where nobody knows."""

    def now(self) -> datetime:
        """The time of day, aware. May jump both ways: a Pi has no clock of its own until the network gives it one."""

    def steady(self) -> float:
        """Seconds since the machine started, those asleep included. Never jumps, and a restarted daemon goes on."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """This machine's."""

    boot: str = field(default_factory=lambda: _boot())

    def now(self) -> datetime:
        return datetime.now(UTC)

    def steady(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
