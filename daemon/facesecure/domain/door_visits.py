"""A visit at another door of the household, as that door tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from facesecure.domain.timeline import Place
from facesecure.domain.types import Subject, VerdictKind


@dataclass(frozen=True, slots=True)
class DoorVisit:
    """A visit at the door ``door``, called ``door_name``. ``kind`` and ``name`` are as corrected, if they were.

    Times are by our clock. ``doubtful``: the face may be a picture held up. ``picture``: that door has one of it.
    """

    identifier: str
    door: str
    door_name: str
    kind: VerdictKind
    name: str | None
    camera: str
    first_seen: datetime
    last_seen: datetime
    subject: Subject | None = None
    doubtful: bool = False
    corrected: bool = False
    picture: bool = False

    @property
    def place(self) -> Place:
        """Where it stands on the timeline."""
        return self.first_seen, self.identifier


class PictureState(StrEnum):
    """How it stands with the picture of a visit at another door."""

    NONE = "none"
    """That door has none."""
    POSSIBLE = "possible"
    """It may be asked for."""
    ASKED = "asked"
    HERE = "here"
    REFUSED = "refused"
    """That door has none any more, or shows none to others."""
    UNANSWERED = "unanswered"
    """That door has not answered in time; it may be asked again."""
    AWAY = "away"
    """That door was not heard of for minutes."""
    FORBIDDEN = "forbidden"
    """This door may not ask for pictures of others."""


class PicturesElsewhere(Protocol):
    """Fetches pictures of visits at other doors, each only when somebody asks for it. Any thread may call it."""

    def state(self, visit: DoorVisit) -> PictureState:
        """Return how it stands with the picture of ``visit``."""

    def ask(self, visit: DoorVisit) -> PictureState:
        """Ask that door for the picture if that is possible, and return at once how it stands with it."""

    def picture(self, visit: DoorVisit) -> bytes | None:
        """Return the JPEG that came, None if there is none."""
