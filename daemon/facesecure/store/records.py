"""What the store hands out and takes in: plain frozen values, detached from any database session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from facesecure.domain import Box, Embedding, Image, Quality, Verdict
from facesecure.recognize.templates import Embeddings, Look

TemplateMaker = Callable[[Embeddings], Sequence[Look]]
"""Turns one person's embeddings, float32 (n, d), into what they are compared by: one look or more."""


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


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one round of retention removed."""

    sightings: int = 0
    snapshots: int = 0
    orphans: int = 0
    freed_bytes: int = 0
