"""What is known of the household's other doors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol


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


@dataclass(frozen=True, slots=True)
class PersonDoor:
    """Another door of the estate, and whether it knows a person, or is to. ``ours``: it is of this household."""

    identifier: str
    name: str
    ours: bool
    knows: bool


@dataclass(frozen=True, slots=True)
class PersonDoors:
    """Which other doors know a person. ``all``: every door of the household, later ones too.

    ``doors`` are those that may; ``fixed`` says why that cannot be changed at this door, empty if it can.
    """

    all: bool
    doors: tuple[PersonDoor, ...]
    fixed: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"all": self.all, "doors": [asdict(door) for door in self.doors], "fixed": self.fixed}


class Assigner(Protocol):
    """Says, and changes, which doors of the estate know a person of this one. Any thread may call it."""

    def doors_of(self, uid: str) -> PersonDoors:
        """Return the doors of the person ``uid``. Raises FacesecureError if that cannot be read."""

    def assign(self, uid: str, doors: Sequence[str] | None) -> None:
        """Have the doors with these identifiers know them, and no other but this one; None: all of the household.

        Raises HubError if this door may not, UsageError for a door that there is not.
        """
