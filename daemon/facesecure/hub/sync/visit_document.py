"""What a door tells its household of a visit, as bytes to be sealed.

Times are the hub's: the clock of another door may be wrong, and so may ours. Each change of what is told has a higher
``edition``, so that nobody can put back what was told before.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from facesecure.domain.names import LONGEST_NAME
from facesecure.hub.errors import NotGenuineError
from facesecure.hub.sync.json_document import parsed
from facesecure.util.plain_text import one_line

KIND = "visit"
_LONGEST_CAMERA = 100
_YEAR_5138 = 1e11


def _is_one_line(text: str) -> str:
    if one_line(text, _LONGEST_CAMERA) != text:
        raise ValueError("not one plain line")
    return text


Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME), AfterValidator(_is_one_line)]
Camera = Annotated[str, StringConstraints(max_length=_LONGEST_CAMERA), AfterValidator(_is_one_line)]
Moment = Annotated[float, Field(ge=0, le=_YEAR_5138, allow_inf_nan=False)]


class _Said(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class VisitFacts(_Said):
    """A visit. ``person`` is the identifier at the hub of who it was, if they are shared; times are in seconds."""

    verdict: Literal["known", "stranger", "unidentified"]
    camera: Camera
    first: Moment
    last: Moment
    name: Name | None = None
    person: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] | None = None
    subject: Literal["person", "animal", "vehicle", ""] | None = None
    doubtful: bool = False
    corrected: bool = False
    picture: bool = False

    def digest(self) -> str:
        """Return what tells these facts from others, however the clocks went when they were told."""
        said = self.model_dump(exclude={"first", "last"}) | {"seconds": round(self.last - self.first, 1)}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


class VisitTold(_Said):
    """What is told of a visit: the facts, or None since there is no such visit at that door any more."""

    kind: Literal["visit"] = "visit"
    edition: int = Field(ge=1, lt=1 << 62)
    facts: VisitFacts | None = None

    def digest(self) -> str:
        """Return the digest of the facts; empty if there are none."""
        return "" if self.facts is None else self.facts.digest()


def identifier_of(sighting: str) -> str:
    """Return the identifier at the hub of a visit whose sighting has the identifier ``sighting`` at its door.

    It is another than the sighting's, under which the doors agree on who notifies (``sync.notices``).
    """
    return hashlib.sha256(f"facesecure visit {sighting}".encode()).hexdigest()[:32]


def encoded(told: VisitTold) -> bytes:
    """Return ``told`` as bytes."""
    return told.model_dump_json().encode()


def decoded(plain: bytes) -> VisitTold | None:
    """Return what ``encoded`` made bytes of; None for a sighting that tells something else, as of a stranger.

    Raises NotGenuineError for what no door writes.
    """
    try:
        if parsed(plain).get("kind") != KIND:
            return None
        told = VisitTold.model_validate_json(plain)
    except ValueError:  # a ValidationError is one
        raise NotGenuineError("what it says of a visit cannot be understood") from None
    facts = told.facts
    if facts is not None and (facts.last < facts.first or (facts.verdict == "known") != (facts.name is not None)):
        raise NotGenuineError("what it says of a visit cannot be so")
    return told
