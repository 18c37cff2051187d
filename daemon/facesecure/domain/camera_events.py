"""Camera events: a camera goes offline, freezes, is covered or moved, and recovers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from facesecure.util.redaction import redact


class Trouble(StrEnum):
    """The faults a camera can have."""

    OFFLINE = "offline"
    FROZEN = "frozen"
    COVERED = "covered"
    """Covered or blinded: frames arrive but show nothing."""
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Change:
    """The start of a fault, or its end (``over``).

    ``why`` describes the evidence, worded to follow a colon; it contains no secret.
    """

    over: bool
    why: str


@dataclass(frozen=True, slots=True)
class CameraEvent:
    """The start of a camera fault, or its end (``over``).

    ``why`` is a sentence for people; secrets in it are hidden. ``camera`` is the camera's name, empty for the only one.

    Example::

        CameraEvent(Trouble.OFFLINE, over=False, why="no frame for 20 s")
    """

    trouble: Trouble
    over: bool
    why: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    camera: str = ""

    def __post_init__(self) -> None:
        if not self.why:
            raise ValueError("a camera event needs a reason")
        object.__setattr__(self, "why", redact(self.why))

    @property
    def word(self) -> str:
        """Return the key of the sentence to announce: offline, frozen, covered, moved, or back."""
        return "back" if self.over else self.trouble.value
