"""What was found out about this household, and how sure that is: kept in STATE_DIR/calibration.json.

Holds numbers and names, no embedding and no picture. Each person's numbers carry the fingerprint of the templates they
were made for, so that whoever was enrolled or changed since is seen to be uncalibrated, and nobody else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from facesecure.domain import Embedding
from facesecure.domain.errors import StoreError
from facesecure.domain.names import FORGOTTEN
from facesecure.recognition.score_model import ScoreDistribution, ScoreModel
from facesecure.util.files import write_durably

FILE_NAME = "calibration.json"
CHART_NAME = "calibration.png"
COMMAND = "facesecure calibrate"
Kind = Literal["person", "stranger"]
Chance = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Spread(_Part):
    """A ``ScoreDistribution`` as it is kept."""

    mean: float
    sd_between: Annotated[float, Field(ge=0)]
    sd_within: Annotated[float, Field(gt=0)]
    mutual: Annotated[float, Field(gt=0, le=1)] = 1.0

    @classmethod
    def of(cls, scores: ScoreDistribution) -> Spread:
        return cls(mean=scores.mean, sd_between=scores.sd_between, sd_within=scores.sd_within, mutual=scores.mutual)

    def scores(self) -> ScoreDistribution:
        return ScoreDistribution(self.mean, self.sd_between, self.sd_within, self.mutual)


class Estimate(_Part):
    """A chance, and the interval that holds it with 95 %."""

    value: Chance
    low: Chance
    high: Chance


class Rival(_Part):
    """Somebody we know of who looks like this person: their scores, and the share of their visits that may pass."""

    name: str
    kind: Kind
    scores: Spread
    rate: Annotated[float, Field(gt=0, lt=1)]

    def comes_near(self, score: float, faces: float) -> bool:
        """Whether this could be the rival: they reach ``score`` more often than they may."""
        return self.scores.scores().chance_of_reaching(score, faces) > self.rate


class OneMore(_Part):
    """What one more enrolment picture is expected to change."""

    likeness: float
    misses: Chance


class PersonCalibration(_Part):
    """One person. ``threshold`` and the estimates are for a single clear face; a visit with more asks for less."""

    fingerprint: str
    faces: int
    genuine: Spread
    impostor: Spread
    rivals: tuple[Rival, ...]
    threshold: float
    raised_by: str | None
    false_accepts: Estimate
    misses: Estimate
    nearest: str | None
    nearest_score: float | None
    one_more: OneMore

    def scores(self) -> ScoreModel:
        return ScoreModel(self.genuine.scores(), self.impostor.scores())

    def without(self, name: str) -> PersonCalibration:
        """The same without the name of a rival who is no longer to be known by it; their likeness remains."""
        rivals = tuple(r.model_copy(update={"name": FORGOTTEN}) if r.name == name else r for r in self.rivals)
        gone = self.nearest == name
        changes = {
            "rivals": rivals,
            "raised_by": FORGOTTEN if self.raised_by == name else self.raised_by,
            "nearest": None if gone else self.nearest,
            "nearest_score": None if gone else self.nearest_score,
        }
        return self.model_copy(update=changes)


class Calibration(_Part):
    """The household at one moment, for one model and one rate of strangers let in by mistake."""

    model_sha256: str
    people_revision: int
    made_at: datetime
    false_accept: Annotated[float, Field(gt=0, le=0.5)]
    strangers_marked: int
    false_accepts: Estimate
    people: dict[str, PersonCalibration]

    def of(self, name: str, fingerprint: str) -> PersonCalibration | None:
        """What is known of ``name``, unless their templates are others now."""
        found = self.people.get(name)
        return found if found is not None and found.fingerprint == fingerprint else None

    def save(self, state_dir: Path) -> Path:
        """Write STATE_DIR/calibration.json, its owner's only, in one step. Raises StoreError."""
        path = state_dir / FILE_NAME
        try:
            write_durably(path, (self.model_dump_json(indent=2) + "\n").encode())
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror}", "choose a folder that can be written") from error
        return path

    @classmethod
    def load(cls, state_dir: Path) -> Calibration | None:
        """The calibration kept in ``state_dir``; None if there is none. Raises StoreError if it cannot be read."""
        path = state_dir / FILE_NAME
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}", "mend its permissions") from error
        except ValidationError as error:
            raise StoreError(f"{path} is not a calibration of this version", f"make it again: {COMMAND}") from error

    def without(self, name: str) -> Calibration:
        """The same without a word about ``name``."""
        kept = {other: person.without(name) for other, person in self.people.items() if other != name}
        return self.model_copy(update={"people": kept})


def forget(state_dir: Path, name: str) -> None:
    """Leave no word about ``name`` in what is kept: calibration, and the chart that shows them. Raises StoreError."""
    try:
        kept = Calibration.load(state_dir)
    except StoreError:  # of no use to anybody, and who knows what names are in it
        (state_dir / FILE_NAME).unlink(missing_ok=True)
        kept = None
    if kept is not None and name in kept.people:
        kept.without(name).save(state_dir)
    (state_dir / CHART_NAME).unlink(missing_ok=True)


def fingerprint(templates: Iterable[Embedding]) -> str:
    """Names one person's templates; changes with any of them, not with their order."""
    parts = sorted(np.ascontiguousarray(one, "<f4").tobytes() for one in templates)
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]
