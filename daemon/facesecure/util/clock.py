"""The wall clock, which can be set, and the monotonic clock since boot, which cannot."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """The clocks that the alert policy reads."""

    @property
    def boot(self) -> str:
        """The identifier of the boot that ``steady`` counts from; empty if unknown."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware. It may jump: a Pi has no clock until it reaches a time server."""

    def steady(self) -> float:
        """Return seconds since boot, including suspended time. Never jumps, and continues across daemon restarts."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The clocks of this machine."""

    boot: str = field(default_factory=lambda: _boot())

    def now(self) -> datetime:
        """Return the wall-clock time in UTC."""
        return datetime.now(UTC)

    def steady(self) -> float:
        """Return seconds since boot (CLOCK_BOOTTIME)."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
