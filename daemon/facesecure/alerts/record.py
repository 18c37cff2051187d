"""What became of a plugin: each that is installed or configured ends in one of these, whatever it did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from facesecure.alerts.plugin import OneAtATime


class PluginStatus(StrEnum):
    """How far a plugin came. Those with ``in_use`` get alerts."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    LOAD_ERROR = "load error"
    CONFIG_ERROR = "config error"
    CHECK_FAILED = "check failed"

    @property
    def in_use(self) -> bool:
        return self in (PluginStatus.ENABLED, PluginStatus.CHECK_FAILED)

    @property
    def broken(self) -> bool:
        """Something for the householder to mend."""
        return self not in (PluginStatus.ENABLED, PluginStatus.DISABLED)


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One plugin: where it came from, its state and why, and the plugin itself where it is in use."""

    name: str
    status: PluginStatus
    origin: str = ""
    reason: str = ""
    hint: str = ""
    description: str = ""
    plugin: OneAtATime | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.status}" + (f" ({self.reason})" if self.status.broken else "")
