"""The types that a frame passes through: Frame, Face, AlignedFace, Recognition, Verdict, Sighting, Alert.

All are frozen and check their shapes on creation, so that an error shows at the stage that made it.
Conventions, everywhere in the daemon: images are uint8 RGB of shape (height, width, 3); points are (x, y) in
pixels from the top left; a ``Frame.taken_at`` is in seconds on the source's own clock, which never goes back;
wall-clock times are aware ``datetime`` in UTC. The face types are in ``domain.faces``.
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
from facesecure.domain.mode import Mode
from facesecure.util.paths import readable
from facesecure.util.plain_text import one_line

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
    "Subject",
    "Verdict",
    "VerdictKind",
]

Luma = NDArray[np.uint8]
Embedding = NDArray[np.float32]


class FrameImage(Protocol):
    """Pixels as a source delivers them, converted on demand."""

    @property
    def size(self) -> tuple[int, int]:
        """The size (width, height) in pixels."""

    def rgb(self) -> Image:
        """Return uint8 RGB (height, width, 3), C-contiguous: the same array at every call, not to be written to."""

    def luma(self) -> Luma:
        """Return uint8 brightness (height, width), or a smaller plane of the same scene if the camera provides one."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame from a source. ``index`` counts the frames that the source produced; a gap means dropped frames."""

    index: int
    taken_at: float
    pixels: FrameImage
    wall_time: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        require(self.index >= 0, f"frame index {self.index} is negative")
        require(np.isfinite(self.taken_at), f"frame time {self.taken_at} is not a finite number")
        require(self.wall_time.tzinfo is not None, "wall_time needs a time zone")

    @property
    def image(self) -> Image:
        """The whole frame, uint8 RGB (height, width, 3)."""
        return self.pixels.rgb()

    @property
    def luma(self) -> Luma:
        """Brightness, uint8 (h, w); may be smaller than the image."""
        return self.pixels.luma()


@dataclass(frozen=True, slots=True)
class Recognition:
    """The recognition of one face: a score for every enrolled person, by name (empty if no one is enrolled).

    Scores are on the recogniser's own scale (cosine, or a class's log-odds); a ``ScoreModel`` interprets them.
    ``model_sha256`` identifies the model that made ``embedding``: embeddings of two models cannot be compared.
    ``doubts`` say why it may not be a human face at all; usually there are none.
    ``cosines`` says whether scores are cosines of ``embedding``; if not, the embedding only serves to match visitors.
    """

    scores: Mapping[str, float]
    embedding: Embedding | None = None
    model_sha256: str | None = None
    doubts: tuple[str, ...] = ()
    cosines: bool = True

    def ranked(self) -> list[tuple[str, float]]:
        """Return (name, score) pairs, best first; equal scores are ordered by name."""
        return sorted(self.scores.items(), key=lambda item: (-item[1], item[0]))


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """A face that is stored with its sighting, and its embedding by the model with ``model_sha256``."""

    face: AlignedFace
    embedding: Embedding
    model_sha256: str
    taken_at: datetime

    def __post_init__(self) -> None:
        require(self.taken_at.tzinfo is not None, "taken_at needs a time zone")


class VerdictKind(StrEnum):
    """The kinds of verdict: a known person, a stranger, or no face good enough to decide."""

    KNOWN = "known"
    STRANGER = "stranger"
    UNIDENTIFIED = "unidentified"


class Subject(StrEnum):
    """What is seen of a visit without a usable face, as far as it is known."""

    PERSON = "person"
    ANIMAL = "animal"
    VEHICLE = "vehicle"
    NOTHING = ""
    """Nothing is known: a shadow, a branch, something too small or too dark."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one track. ``name`` is set exactly for KNOWN.

    ``score`` and ``second_score`` are the two best mean scores over the track's usable faces (None if there were
    none, or no one is enrolled); ``evidence`` is the log-likelihood ratio (nats) of the best name against the
    hypothesis that the person is not enrolled; ``faces_used`` counts usable faces; ``why`` is one sentence for people.

    Example::

        Verdict(VerdictKind.UNIDENTIFIED, why="no usable face")
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
        require(bool(self.why), "a verdict needs a reason")
        require(self.faces_used >= 0, "faces_used is negative")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A verdict on a visit: it is stored, shown, and turned into alerts.

    ``identifier`` is unique for ever. ``track`` is the tracker's number (None if no face was found).
    ``supersedes`` is the identifier of an earlier sighting of the same track that this one corrects.
    ``snapshot`` is the best view so far, uint8 RGB with some surroundings; ``box`` is the face within it.
    ``closing`` marks the last update of an earlier sighting, with the figures and snapshot of the whole visit.
    ``faces`` are the best usable faces so far; only the store receives them, plugins do not.
    ``staged`` says that a drill injected the visitor and no person was there.
    ``subject`` is what was seen, where the verdict is UNIDENTIFIED; None if nobody looked. Without a face, ``box`` is
    around it.
    ``doubt`` says why the face may be a picture that was held up; empty if nothing speaks for that.
    ``mode`` is that of the household when it was recorded; None if that is not known.
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
    subject: Subject | None = None
    doubt: str = ""
    mode: Mode | None = None

    def __post_init__(self) -> None:
        require(bool(self.identifier), "a sighting needs an identifier")
        unidentified = self.verdict.kind is VerdictKind.UNIDENTIFIED
        require(unidentified or self.subject is None, f"a {self.verdict.kind} sighting has no subject")
        require(self.first_seen.tzinfo is not None and self.last_seen.tzinfo is not None, "times need a time zone")
        require(self.last_seen >= self.first_seen, "a sighting ends before it begins")

    @property
    def proves_presence(self) -> bool:
        """Return whether a known person certainly was there: what may disarm by presence has to ask this."""
        return self.verdict.kind is VerdictKind.KNOWN and not self.doubt and not self.staged


class AlertKind(StrEnum):
    """The subject of an alert: a person, the camera, or facesecure itself."""

    KNOWN = "known"
    STRANGER = "stranger"
    UNIDENTIFIED = "unidentified"
    CAMERA = "camera"
    """A camera fault began or ended."""
    SERVICE = "service"
    """The daemon itself: the database was restored, or a channel has failed for long."""
    TEST = "test"
    """A test of the alert channels."""


LONGEST_TEXT = 1000
"""Characters of an alert's text."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A notification for one or more plugins.

    ``text`` is for reading and may count suppressed alerts; ``speech`` is the sentence to say aloud (by default the
    text), one of a few that can be synthesised in advance. ``identifier`` stays the same at every attempt to deliver
    the alert, also after a restart. ``sighting`` is the sighting without its pixels (the image is at
    ``snapshot_path``); None if the alert is not about a person. ``held_back`` counts earlier alerts of the same kind
    that a cool-down suppressed. ``channels`` are the plugins to notify, in no order; None means every enabled plugin.
    ``clip`` identifies the film of the visit, which is still being taken when the alert is made.

    Example::

        Alert(AlertKind.TEST, "This is a test", channels=("log",))
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
    clip: str | None = None

    def __post_init__(self) -> None:
        require(bool(self.text), "an alert needs a text")
        require(self.created_at.tzinfo is not None, "created_at needs a time zone")
        require(self.held_back >= 0, "held_back is negative")
        for name, text in (("text", self.text), ("speech", self.speech or self.text)):
            object.__setattr__(self, name, one_line(readable(text), LONGEST_TEXT))  # it may quote a camera or a file

    @classmethod
    def about(cls, sighting: Sighting, text: str, **others: Any) -> Alert:
        """Make an alert about ``sighting``, of the same kind as its verdict, without its faces and pixels."""
        seen = replace(sighting, faces=(), snapshot=None)
        return cls(AlertKind(sighting.verdict.kind.value), text, sighting=seen, **others)
