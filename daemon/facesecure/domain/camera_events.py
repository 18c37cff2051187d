"""What can befall a camera, as events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Trouble(StrEnum):
    """What is wrong with a camera."""

    OFFLINE = "offline"
    FROZEN = "frozen"
    COVERED = "covered"
    """Covered or blinded: there is a picture and nothing to be seen in it."""
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Change:
    """A trouble has begun, or is ``over``. ``why`` says what was seen, to follow a colon; it holds no secret."""

    over: bool
    why: str


@dataclass(frozen=True, slots=True)
class CameraEvent:
    """A camera's trouble has begun, or is ``over``.

    ``why`` is for people and holds no password.
    """

    trouble: Trouble
    over: bool
    why: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        if not self.why:
            raise ValueError("a camera's event says why")

    @property
    def word(self) -> str:
        """offline, frozen, covered, moved, or back: what the household's sentences are called by."""
        return "back" if self.over else self.trouble.value
