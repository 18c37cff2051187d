"""What doors of one household tell each other of a stranger, so that only one of them notifies."""

from __future__ import annotations

from dataclasses import dataclass

from facesecure.domain.faces import require
from facesecure.domain.types import Embedding


@dataclass(frozen=True, slots=True, eq=False)
class SeenStranger:
    """The stranger of the sighting ``identifier``, at the camera ``camera``.

    ``embedding`` is the mean of the visit's faces by the model with ``model_sha256``, ``clarity`` theirs (0 to 1); None
    if there is no face to compare, or it is not known any more.
    """

    identifier: str
    camera: str = ""
    embedding: Embedding | None = None
    clarity: float = 0.0
    model_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who notifies: this door, or ``told_by``, the name of another.

    ``again_in``: the other has only promised it; claim again after these seconds. None: it has delivered.
    """

    told_by: str = ""
    again_in: float | None = None

    def __post_init__(self) -> None:
        require(self.again_in is None or self.again_in >= 0, "again_in is negative")

    @property
    def is_ours(self) -> bool:
        """Whether this door notifies."""
        return not self.told_by
