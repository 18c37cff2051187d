"""What a door tells its household of its state, as bytes to be sealed.

It says how long ago the last visit was, not when: another door's clock may be wrong, and so may ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from facesecure import __version__
from facesecure.app.control.commands import Commands
from facesecure.domain.names import LONGEST_NAME
from facesecure.util.plain_text import one_line

_MOST = 8
_LONGEST_SENTENCE = 300

Word = Annotated[str, StringConstraints(max_length=LONGEST_NAME)]
Sentence = Annotated[str, StringConstraints(max_length=_LONGEST_SENTENCE)]


class _Said(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class VisitSaid(_Said):
    """The last visit; ``seconds`` have passed since."""

    verdict: Literal["known", "stranger", "unidentified"]
    camera: Word
    name: Word | None = None
    subject: Literal["person", "animal", "vehicle"] | None = None
    seconds: float = Field(ge=0, allow_inf_nan=False, lt=1e10)


class StatusSaid(_Said):
    """The state of a door. A newer version may say more."""

    version: Word = ""
    lost: list[Word] = Field(default_factory=list, max_length=_MOST)
    troubles: list[Sentence] = Field(default_factory=list, max_length=_MOST)
    last: VisitSaid | None = None


def facts_of(commands: Commands, own: str) -> dict[str, Any]:
    """Return the state of the daemon of ``commands``; its front called ``own`` is the one that tells it."""
    troubles = [
        commands.complaint,
        *(f"{name}: {said}" for name, said in commands.front_troubles().items() if name != own),
    ]
    return {
        "version": __version__,
        "lost": [one_line(camera.name, LONGEST_NAME) for camera in commands.cameras if camera.lost][:_MOST],
        "troubles": [one_line(said, _LONGEST_SENTENCE) for said in troubles if said][:_MOST],
        "last": _last_visit(commands),
    }


def encoded(facts: Mapping[str, Any]) -> bytes:
    """Return ``facts`` as bytes."""
    return json.dumps(facts).encode()


def decoded(plain: bytes) -> StatusSaid:
    """Return what ``encoded`` made bytes of. Raises ValueError for anything else."""
    try:
        return StatusSaid.model_validate_json(plain)
    except ValidationError as error:
        raise ValueError(f"a door's status cannot be understood: {error.error_count()} errors") from None


def unchanged(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> bool:
    """Return whether nothing has happened but that time has passed."""
    if before is None or {**before, "last": None} != {**now, "last": None}:
        return False
    old, new = before["last"], now["last"]
    if old is None or new is None:
        return old is new
    return {**old, "seconds": 0} == {**new, "seconds": 0} and new["seconds"] >= old["seconds"]


def _last_visit(commands: Commands) -> dict[str, Any] | None:
    found = commands.store.sightings(limit=1, latest_only=True)
    if not found:
        return None
    seen = found[0]
    return {
        "verdict": seen.kind.value,
        "camera": one_line(seen.source, LONGEST_NAME),
        "name": seen.name,
        "subject": seen.subject.value if seen.subject else None,
        "seconds": max(0.0, (datetime.now(UTC) - seen.last_seen).total_seconds()),
    }
