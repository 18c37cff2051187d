"""How loud a device is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loudness:
    """``level`` 0 to 1, as the device gave it: 0 is a level like any other."""

    level: float
    muted: bool

    def __str__(self) -> str:
        return f"{self.level:.0%}{', muted' if self.muted else ''}"
