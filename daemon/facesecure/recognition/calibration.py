"""The calibration of a household: each person's score distributions and threshold, in STATE_DIR/calibration.json.

It contains numbers and names, no embeddings and no images, and is signed, since it decides who is let in. Each person's
numbers carry the fingerprint of the templates they were made for, so that exactly the people who were enrolled or
changed since count as not calibrated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from facesecure.domain import Embedding
from facesecure.domain.errors import StoreError
from facesecure.domain.names import FORGOTTEN
from facesecure.recognition.score_model import ScoreDistribution, ScoreModel

FILE_NAME = "calibration.json"
CHART_NAME = "calibration.png"
COMMAND = "facesecure calibrate"
Kind = Literal["person", "stranger"]
Chance = Annotated[float, Field(ge=0, le=1)]


class Documents(Protocol):
    """The signed documents of a state directory (``storage.signed_documents.SignedDocuments``)."""

    @property
    def folder(self) -> Path:
        """The state directory."""

    def read(self, name: str) -> dict[str, Any]:
        """Return the document ``name``. Raises FileNotFoundError, or StoreError if it was changed by others."""

    def write(self, name: str, document: Mapping[str, Any]) -> Path:
        """Sign and write the document ``name``; return its path. Raises OSError or StoreError."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Spread(_Part):
    """A ``ScoreDistribution`` as it is stored."""

    mean: float
    sd_between: Annotated[float, Field(ge=0)]
    sd_within: Annotated[float, Field(gt=0)]
    mutual: Annotated[float, Field(gt=0, le=1)] = 1.0

    @classmethod
    def of(cls, scores: ScoreDistribution) -> Spread:
        """Return ``scores`` in the form that is stored."""
        return cls(mean=scores.mean, sd_between=scores.sd_between, sd_within=scores.sd_within, mutual=scores.mutual)

    def scores(self) -> ScoreDistribution:
        """Return the distribution."""
        return ScoreDistribution(self.mean, self.sd_between, self.sd_within, self.mutual)


class Estimate(_Part):
    """A probability and its 95 % interval."""

    value: Chance
    low: Chance
    high: Chance


class Rival(_Part):
    """A known person or marked stranger who looks like this person: their scores, and the rate that is allowed."""

    name: str
    kind: Kind
    scores: Spread
    rate: Annotated[float, Field(gt=0, lt=1)]

    def comes_near(self, score: float, faces: float) -> bool:
        """Return whether the rival reaches ``score``, a mean over ``faces``, more often than ``rate``."""
        return self.scores.scores().chance_of_reaching(score, faces) > self.rate


class OneMore(_Part):
    """The expected effect of one more enrolment photo: the gain in similarity, and the misses that remain."""

    likeness: float
    misses: Chance


class PersonCalibration(_Part):
    """The calibration of one person. ``threshold`` and the estimates hold for one clear face; more faces need less."""

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
        """Return the person's own score model."""
        return ScoreModel(self.genuine.scores(), self.impostor.scores())

    def without(self, name: str) -> PersonCalibration:
        """Return the calibration with the rival ``name`` made anonymous; the rival's scores remain."""
        rivals = tuple(r.model_copy(update={"name": FORGOTTEN}) if r.name == name else r for r in self.rivals)
        gone = self.nearest == name
        changes = {
            "rivals": rivals,
            "raised_by": FORGOTTEN if self.raised_by == name else self.raised_by,
            "nearest": None if gone else self.nearest,
            "nearest_score": None if gone else self.nearest_score,
        }
        return self.model_copy(update=changes)

    def renamed(self, old: str, new: str) -> PersonCalibration:
        """Return the calibration with the other person ``old`` called ``new``."""

        def called(name: str | None) -> str | None:
            return new if name == old else name

        rivals = tuple(r.model_copy(update={"name": called(r.name)}) for r in self.rivals)
        changes = {"rivals": rivals, "raised_by": called(self.raised_by), "nearest": called(self.nearest)}
        return self.model_copy(update=changes)


class Calibration(_Part):
    """The calibration of a household at one moment, for one model and one rate of strangers accepted.

    Example::

        calibration = Calibration.load(SignedDocuments(state_dir))
        if calibration and (person := calibration.of("Anna", fingerprint(templates))):
            person.threshold
    """

    model_sha256: str
    people_revision: int
    made_at: datetime
    false_accept: Annotated[float, Field(gt=0, le=0.5)]
    strangers_marked: int
    false_accepts: Estimate
    people: dict[str, PersonCalibration]
    door: str = ""
    """The name of the other door of the household that made it; empty for one that was made here."""

    def of(self, name: str, fingerprint: str) -> PersonCalibration | None:
        """Return the calibration of ``name``, None if there is none for templates with this ``fingerprint``."""
        found = self.people.get(name)
        return found if found is not None and found.fingerprint == fingerprint else None

    def save(self, documents: Documents) -> Path:
        """Write and sign calibration.json atomically, readable by its owner only. Raises StoreError."""
        try:
            return documents.write(FILE_NAME, self.model_dump(mode="json"))
        except OSError as error:
            path = documents.folder / FILE_NAME
            raise StoreError(f"cannot write {path}: {error.strerror}", "choose a folder that can be written") from error

    @classmethod
    def load(cls, documents: Documents) -> Calibration | None:
        """Return the calibration in ``documents``, None if there is none.

        Raises StoreError if it cannot be read, or was not written by facesecure with this key.
        """
        try:
            return cls.model_validate(documents.read(FILE_NAME))
        except FileNotFoundError:
            return None
        except ValidationError as error:
            path = documents.folder / FILE_NAME
            raise StoreError(f"{path} is not a calibration of this version", f"make it again: {COMMAND}") from error
        except StoreError as error:
            raise StoreError(
                f"{error.message}; it is not used", f"{error.hint}; then make it again: {COMMAND}"
            ) from error

    def without(self, name: str) -> Calibration:
        """Return the calibration without any trace of ``name``."""
        kept = {other: person.without(name) for other, person in self.people.items() if other != name}
        return self.model_copy(update={"people": kept})

    def renamed(self, old: str, new: str) -> Calibration:
        """Return the calibration with the person ``old`` called ``new``."""
        people = {new if name == old else name: person.renamed(old, new) for name, person in self.people.items()}
        return self.model_copy(update={"people": people})


def calibration_words(documents: Documents) -> str:
    """Return when the calibration in use was made, and where if that was another door; empty if there is none."""
    try:
        found = Calibration.load(documents)
    except StoreError as error:
        return error.message
    where = f" at the door {found.door}" if found and found.door else ""
    return f"made on {found.made_at.date()}{where}" if found else ""


def forget(documents: Documents, name: str) -> None:
    """Delete ``name`` from the stored calibration, and the chart that shows it. Raises StoreError."""
    _change(documents, lambda found: found.without(name))


def rename(documents: Documents, old: str, new: str) -> None:
    """Replace the name ``old`` in the stored calibration, and delete the chart that shows it. Raises StoreError."""
    _change(documents, lambda found: found.renamed(old, new))


def _change(documents: Documents, change: Callable[[Calibration], Calibration]) -> None:
    try:
        found = Calibration.load(documents)
    except StoreError:  # unusable, and it may contain the name
        (documents.folder / FILE_NAME).unlink(missing_ok=True)
        found = None
    if found is not None and (changed := change(found)) != found:
        changed.save(documents)
    (documents.folder / CHART_NAME).unlink(missing_ok=True)


def fingerprint(templates: Iterable[Embedding]) -> str:
    """Return a fingerprint of one person's templates, which changes with any of them but not with their order."""
    parts = sorted(np.ascontiguousarray(one, "<f4").tobytes() for one in templates)
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]
