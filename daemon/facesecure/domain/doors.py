"""What is known of the household's other doors."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class LastVisit:
    """The last visit at a door: its verdict (``VerdictKind``), who it was if known, and when it ended, by our clock.

    ``subject`` is what was seen where there was no face (``Subject``).
    """

    verdict: str
    at: datetime
    camera: str
    name: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class OtherDoor:
    """Another door of the household, as it was ``heard_at``, by our clock; None if it was never heard of.

    ``silent``: it should have been heard of again by now. ``lost`` are its cameras without an image, ``troubles`` are
    sentences about what else is wrong there.
    """

    identifier: str
    name: str
    heard_at: datetime | None = None
    silent: bool = False
    version: str = ""
    lost: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    last_visit: LastVisit | None = None

    @property
    def in_trouble(self) -> bool:
        """Whether somebody should look after it."""
        return self.silent or bool(self.lost or self.troubles)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        visit = self.last_visit
        return {
            **asdict(self),
            "heard_at": self.heard_at.isoformat() if self.heard_at else None,
            "in_trouble": self.in_trouble,
            "last_visit": {**asdict(visit), "at": visit.at.isoformat()} if visit else None,
        }
