"""A visit at another door of the household, as that door tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
