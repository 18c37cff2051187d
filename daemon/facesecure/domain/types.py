"""The nouns of a frame's journey: Frame, Face, AlignedFace, Recognition, Verdict, Track, Sighting, Alert.

All are frozen and check their shapes where they are made, so that a mistake shows at the stage that made it.
Conventions, everywhere in the daemon: images are uint8 RGB of shape (height, width, 3); points are (x, y) in
pixels from the top left; times called ``..._at`` are seconds on the source's own clock, which never goes back;
wall-clock times are aware ``datetime`` in UTC. What a face is by itself stands in ``face``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.faces import LANDMARK_NAMES, AlignedFace, Box, Face, Image, Landmarks, Quality, require

__all__ = [
    "LANDMARK_NAMES",
    "Alert",
    "AlertKind",
    "AlignedFace",
    "Box",
    "Embedding",
    "Face",
    "Frame",
    "FrameImage",
    "Image",
    "Landmarks",
    "Luma",
    "Quality",
    "Recognition",
    "SeenFace",
    "Sighting",
    "Verdict",
    "VerdictKind",
]

Luma = NDArray[np.uint8]
Embedding = NDArray[np.float32]


class FrameImage(Protocol):
    """Pixels as a source delivers them, converted only when somebody asks."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""

    def rgb(self) -> Image:
        """uint8 RGB (height, width, 3), C-contiguous. The same array every time; do not write to it."""

    def luma(self) -> Luma:
        """uint8 brightness (height, width), or a smaller plane of the same scene if the camera gives one."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture from a source. ``index`` counts what the source produced, so a gap tells of dropped frames."""

    index: int
    taken_at: float
    picture: FrameImage
    wall_time: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        require(self.index >= 0, f"frame index {self.index} is negative")
        require(np.isfinite(self.taken_at), f"frame time {self.taken_at} is not a finite number")
        require(self.wall_time.tzinfo is not None, "wall_time needs a time zone")

    @property
    def image(self) -> Image:
        """The whole frame, uint8 RGB (height, width, 3)."""
        return self.picture.rgb()

    @property
    def luma(self) -> Luma:
        """Brightness, uint8 (h, w); may be smaller than the image."""
        return self.picture.luma()


@dataclass(frozen=True, slots=True)
class Recognition:
    """What one face says: a score for everybody who is enrolled, by name (empty if nobody is).

    Scores are the recogniser's own (cosine, or a class's log-odds); only a ``ScoreModel`` gives them a meaning.
    ``model_sha256`` names the model that made ``embedding``: embeddings of two models do not compare.
    ``doubts`` say why it is not surely a person's face at all; usually there are none.
    ``cosines`` says whether scores are cosines of ``embedding``; where they are not, it is kept for visitors alone.
    """

    scores: Mapping[str, float]
    embedding: Embedding | None = None
    model_sha256: str | None = None
    doubts: tuple[str, ...] = ()
    cosines: bool = True

    def ranked(self) -> list[tuple[str, float]]:
        """(name, score), best first; equal scores by name, so that the order never depends on chance."""
        return sorted(self.scores.items(), key=lambda item: (-item[1], item[0]))


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """A face of a sighting that is kept with it, and its embedding by the model with ``model_sha256``."""

    face: AlignedFace
    embedding: Embedding
    model_sha256: str
    taken_at: datetime

    def __post_init__(self) -> None:
        require(self.taken_at.tzinfo is not None, "taken_at needs a time zone")


class VerdictKind(StrEnum):
    """Who it is, as far as anybody can tell."""

    KNOWN = "known"
    STRANGER = "stranger"
    UNIDENTIFIED = "unidentified"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement on one track. ``name`` is set exactly for KNOWN.

    ``score`` and ``second_score`` are the two best mean scores over the track's usable faces (None if there were
    none, or nobody is enrolled); ``evidence`` is the log-likelihood ratio (nats) of the best name against "nobody
    we know"; ``faces_used`` counts usable faces; ``why`` is one sentence for people.
    """

    kind: VerdictKind
    why: str
    name: str | None = None
    score: float | None = None
    second_name: str | None = None
    second_score: float | None = None
    evidence: float | None = None
    faces_used: int = 0

    def __post_init__(self) -> None:
        require(
            (self.name is not None) == (self.kind is VerdictKind.KNOWN),
            f"a {self.kind} verdict named {self.name!r}",
        )
        require(bool(self.why), "a verdict says why")
        require(self.faces_used >= 0, "faces_used is negative")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A verdict, made: what is stored, shown, and turned into alerts.

    ``identifier`` is unique for ever. ``track`` is the tracker's number (None where no face was ever found).
    ``supersedes`` is the identifier of an earlier sighting of the same track that this one corrects.
    ``snapshot`` is the best view so far, uint8 RGB with some surroundings; ``box`` is the face within it.
    ``closing`` marks one that was made before and comes again at its end, with the whole visit's figures and snapshot.
    ``faces`` are the best usable ones so far, for the store alone: plugins are not told.
    ``staged`` says that a drill put a picture before the camera and nobody was there.
    """

    identifier: str
    verdict: Verdict
    source: str
    first_seen: datetime
    last_seen: datetime
    track: int | None = None
    supersedes: str | None = None
    snapshot: Image | None = None
    box: Box | None = None
    closing: bool = False
    faces: tuple[SeenFace, ...] = ()
    staged: bool = False

    def __post_init__(self) -> None:
        require(bool(self.identifier), "a sighting needs an identifier")
        require(self.first_seen.tzinfo is not None and self.last_seen.tzinfo is not None, "times need a time zone")
        require(self.last_seen >= self.first_seen, "a sighting ends before it begins")


class AlertKind(StrEnum):
    """What an alert is about: who was seen, or how facesecure itself fares."""

    KNOWN = "known"
    STRANGER = "stranger"
    UNIDENTIFIED = "unidentified"
    CAMERA = "camera"
    """The camera is in trouble, or out of it."""
    SERVICE = "service"
    """The daemon itself: a database restored, a channel that has failed for long."""
    TEST = "test"
    """Somebody tries whether alerts arrive; nobody is at the door."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A message for one or more plugins.

    ``text`` is for reading and may count what was held back; ``speech`` is what to say aloud (left out: the text), one
    of a few sentences that can be recorded beforehand. ``identifier`` stays the same at every attempt to deliver it,
    after a restart too. ``sighting`` is what was seen, without its pixels (the picture is at ``snapshot_path``); None
    where it is not about somebody. ``held_back`` counts the earlier alerts of its like that a cool-down kept back.
    ``channels`` are the plugins to tell, in no order; None means every one that is in use.
    """

    kind: AlertKind
    text: str
    speech: str = ""
    sighting: Sighting | None = None
    snapshot_path: Path | None = None
    held_back: int = 0
    channels: tuple[str, ...] | None = None
    identifier: str = field(default_factory=lambda: uuid.uuid4().hex)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        require(bool(self.text), "an alert needs words")
        require(self.created_at.tzinfo is not None, "created_at needs a time zone")
        require(self.held_back >= 0, "held_back is negative")
        if not self.speech:
            object.__setattr__(self, "speech", self.text)

    @classmethod
    def about(cls, sighting: Sighting, text: str, **others: Any) -> Alert:
        """An alert of the sighting's own kind. What only the store needs, its faces and pixels, is left out."""
        seen = replace(sighting, faces=(), snapshot=None)
        return cls(AlertKind(sighting.verdict.kind.value), text, sighting=seen, **others)
