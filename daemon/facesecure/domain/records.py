"""Records that the store reads and writes: frozen values, independent of any database session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Box, Embedding, Image, Quality, SeenFace, Subject, Verdict, VerdictKind
from facesecure.domain.mode import Mode


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """A face that a person was enrolled with.

    ``image`` is the aligned crop, uint8 RGB (112, 112, 3); ``embedding`` is float32 (d,), made by the model file whose
    SHA-256 is ``model_sha256``; ``source`` says where the face came from (a path, a camera). The store assigns
    ``identifier`` and ``added_at`` and ignores them when a face is added, so a face that was read can be added again.
    """

    image: Image
    embedding: Embedding
    model_sha256: str
    quality: Quality
    source: str = ""
    identifier: int | None = None
    added_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    sighting: str | None = None
    """The sighting that the face was taken from, if it was seen by the camera."""

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
    """An enrolled person, and the number of faces they are enrolled with.

    One who is not ``genuine`` was changed outside of facesecure, and is not recognised.
    """

    name: str
    created_at: datetime
    faces: int
    genuine: bool = True
    uid: str = field(default="", compare=False, repr=False)
    """Random, and the same for as long as the person is enrolled, whatever they are called."""
    edition: str = field(default="", compare=False, repr=False)
    """Random, and another one whenever the person's faces have changed."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template of a person for one model: float32 (d,) of length 1, made of ``faces`` faces."""

    name: str
    embedding: Embedding
    model_sha256: str
    faces: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction of a sighting by the household. ``words`` says how; ``name`` is set exactly for KNOWN."""

    kind: VerdictKind
    name: str | None
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EnrolledFrom:
    """A person and how many of the faces they are enrolled with, ``of`` them all, come from one sighting: ``count``."""

    name: str
    count: int
    of: int

    @property
    def sole(self) -> bool:
        """Whether the person would be left without a face."""
        return self.count == self.of


@dataclass(frozen=True, slots=True)
class RefusedFace:
    """A face (number ``identifier``, of the person ``name``) that could not be embedded again, and ``why``."""

    name: str
    identifier: int
    why: str


@dataclass(frozen=True, slots=True)
class Reembedded:
    """The result of a change of model: the number of ``faces`` embedded again, their ``people``, and those refused.

    ``templates`` are everyone's for the new model, where nothing was stored.
    """

    faces: int = 0
    people: tuple[str, ...] = ()
    refused: tuple[RefusedFace, ...] = ()
    templates: tuple[Template, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredSighting:
    """A sighting as stored. ``snapshot`` is the absolute path of a JPEG; None if there is none (any more)."""

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
    subject: Subject | None = None
    doubt: str = ""
    """Why the face may be a picture that was held up; empty if nothing speaks for that."""
    mode: Mode | None = None
    """The mode of the household then; None for one of before it was stored."""

    @property
    def kind(self) -> VerdictKind:
        """The kind of the verdict, as corrected if it was corrected."""
        return self.correction.kind if self.correction else self.verdict.kind

    @property
    def name(self) -> str | None:
        """The person's name, as corrected if it was corrected."""
        return self.correction.name if self.correction else self.verdict.name


@dataclass(frozen=True, slots=True, eq=False)
class StoredFace:
    """A face stored with the sighting whose identifier is ``sighting``. The store assigns the number ``identifier``."""

    sighting: str
    seen: SeenFace
    identifier: int | None = None


@dataclass(frozen=True, slots=True)
class SeenElsewhere:
    """What another door of the household, called ``place``, has seen of a visitor."""

    place: str
    visits: int
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Visitor:
    """A stranger who was seen once or several times; ``name`` is set once the visitor was named.

    ``marked`` is true if a correction says that the visitor is not a certain person, or not enrolled; ``faces`` counts
    the stored faces; ``snapshot`` is that of the visit with the clearest face. ``route`` are the cameras of the latest
    stay, in order. ``elsewhere`` is what other doors have seen of them; visits and faces are those here.
    """

    identifier: int
    first_seen: datetime
    last_seen: datetime
    visits: int
    name: str | None
    marked: bool
    faces: int
    snapshot: Path | None = None
    route: tuple[str, ...] = ()
    elsewhere: tuple[SeenElsewhere, ...] = ()


@dataclass(frozen=True, slots=True)
class Pruned:
    """The number of items that one run of retention removed, and the bytes freed."""

    sightings: int = 0
    snapshots: int = 0
    orphans: int = 0
    freed_bytes: int = 0
    faces: int = 0
    visitors: int = 0


Embeddings = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TemplateVector:
    """One template of a person: ``direction``, float32 (n,) of length 1, and the number of ``faces`` it is made of.

    ``blended``: it is not a plain mean, but a mean moved towards a single face.
    """

    direction: Embedding
    faces: int
    blended: bool = False


TemplateMaker = Callable[[Embeddings], Sequence[TemplateVector]]
"""A function that makes one or more templates of one person's embeddings, float32 (n, d)."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A film of a visit, as it is kept. ``size`` is in bytes; one that is not ``whole`` is being written, or broke off.

    ``ended`` is when the film ends, or when it was last written to.
    """

    identifier: str
    camera: str
    began: datetime
    ended: datetime
    size: int
    whole: bool

    @property
    def seconds(self) -> float:
        """The film's length."""
        return (self.ended - self.began).total_seconds()
