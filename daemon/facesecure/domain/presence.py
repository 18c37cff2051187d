"""Whether somebody is at home."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Whereabouts(StrEnum):
    """Where somebody is, as far as it is known."""

    HOME = "home"
    AWAY = "away"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PersonPresence:
    """Where the person called ``name`` is, and since when (aware); ``since`` is None if nothing was heard."""

    name: str
    where: Whereabouts = Whereabouts.UNKNOWN
    since: datetime | None = None
