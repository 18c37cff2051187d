"""What the store hands out and takes in: plain frozen values, detached from any database session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Box, Embedding, Image, Quality, SeenFace, Verdict, VerdictKind


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """One picture a person is known by.

    ``image`` is the aligned crop, uint8 RGB (112, 112, 3); ``embedding`` float32 (d,), made by the model file whose
    SHA-256 is ``model_sha256``; ``source`` says where it came from (a path, a camera). ``identifier`` and
    ``added_at`` are the store's and ignored when a face is added, so a face read can be added again elsewhere.
    """

    image: Image
    embedding: Embedding
    model_sha256: str
    quality: Quality
    source: str = ""
    identifier: int | None = None
    added_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    sighting: str | None = None
    """The sighting it was taken from, if it was seen at the door."""

    def __post_init__(self) -> None:
        if self.image.shape != (112, 112, 3) or self.image.dtype != np.uint8:
            raise ValueError(f"an enrolled face is uint8 (112, 112, 3), not {self.image.dtype} {self.image.shape}")
        check_embedding(self.embedding)


def check_embedding(embedding: Embedding) -> None:
    """Raise ValueError unless it is float32 (d,), finite and not zero."""
    if embedding.ndim != 1 or embedding.dtype != np.float32 or not embedding.size:
        raise ValueError(f"an embedding is float32 (d,), not {embedding.dtype} {embedding.shape}")
    if not np.isfinite(embedding).all() or not embedding.any():
        raise ValueError("an embedding is finite and not zero")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody enrolled, and how many pictures they are known by."""

    name: str
    created_at: datetime
    faces: int


@dataclass(frozen=True, slots=True)
class Template:
    """A way one person looks to one model: float32 (d,) of length 1, the mean of ``faces`` pictures."""

    name: str
    embedding: Embedding
    model_sha256: str
    faces: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Correction:
    """What the household said later of a sighting. ``words`` tell how; ``name`` is set exactly for KNOWN."""

    kind: VerdictKind
    name: str | None
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RefusedFace:
    """An enrolled face (number ``identifier`` of ``name``) that could not be embedded again, and ``why``."""

    name: str
    identifier: int
    why: str


@dataclass(frozen=True, slots=True)
class Reembedded:
    """What came of a change of model: how many ``faces`` were embedded again, of which ``people``, and which not."""

    faces: int = 0
    people: tuple[str, ...] = ()
    refused: tuple[RefusedFace, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredSighting:
    """A sighting as it was written. ``snapshot`` is a JPEG's absolute path, None where none is kept (any more)."""

    identifier: str
    verdict: Verdict
    source: str
    first_seen: datetime
    last_seen: datetime
    created_at: datetime
    track: int | None = None
    supersedes: str | None = None
    superseded_by: str | None = None
    snapshot: Path | None = None
    box: Box | None = None
    visitor: int | None = None
    correction: Correction | None = None

    @property
    def kind(self) -> VerdictKind:
        """Who it was as far as we know now: as told, or as corrected."""
        return self.correction.kind if self.correction else self.verdict.kind

    @property
    def name(self) -> str | None:
        """Their name as far as we know now."""
        return self.correction.name if self.correction else self.verdict.name


@dataclass(frozen=True, slots=True, eq=False)
class StoredFace:
    """A face kept with the sighting of that identifier."""

    sighting: str
    seen: SeenFace


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody unknown who was seen, once or often; ``name`` once they were named.

    ``marked`` tells that the household said who it is not; ``faces`` counts those kept; ``snapshot`` is that of the
    visit with the clearest face.
    """

    identifier: int
    first_seen: datetime
    last_seen: datetime
    visits: int
    name: str | None
    marked: bool
    faces: int
    snapshot: Path | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one round of retention removed."""

    sightings: int = 0
    snapshots: int = 0
    orphans: int = 0
    freed_bytes: int = 0
    faces: int = 0
    visitors: int = 0


Embeddings = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TemplateVector:
    """One way a person looks: ``direction`` float32 (n,) of length 1, and of how many ``faces`` it is made.

    ``leaning``: it is no plain mean, but leans from one towards a single picture.
    """

    direction: Embedding
    faces: int
    leaning: bool = False


TemplateMaker = Callable[[Embeddings], Sequence[TemplateVector]]
"""Turns one person's embeddings, float32 (n, d), into what they are compared by: one look or more."""
