"""One face over time, as the tracker follows it: a value, replaced on every frame."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Face, Verdict, VerdictKind
from facesecure.pipeline.best_faces import BestFaces
from facesecure.pipeline.continuity import Question
from facesecure.pipeline.fixed_faces import Stillness, face_size
from facesecure.recognition.evidence import Evidence
from facesecure.vision.images.quality import view_score

_BETTER_VIEW = 1.15
"""Factor by which a view must be better than the best so far to identify the face again at once."""
_IDENTIFY_AGAIN = {VerdictKind.KNOWN: 2.0, VerdictKind.STRANGER: 0.25, VerdictKind.UNIDENTIFIED: 0.0}
"""Seconds after which a track is identified again, so that an early mistake is corrected, an alarm soonest.
A stranger is reported early, and can be enrolled later only from several different faces."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a track was when its person was last certain."""

    face: Face
    last_seen: float
    hits: int


@dataclass(frozen=True, slots=True)
class Track:
    """One face over time. ``face`` is its latest detection, at ``last_seen`` (seconds on the source's clock).

    ``now`` is the time of the latest frame, ``hits`` counts detections, ``velocity`` is in pixels a second,
    ``best_view`` is the best ``view_score`` identified so far, and ``ended`` is set once, on the last update:
    ``fixed`` then tells whether it ended because the face never moves, as on a poster. While ``question`` is set it is
    not certain that this is still the person ``confirmed``, and the verdict is unidentified.
    """

    number: int
    face: Face
    first_seen: float
    last_seen: float
    now: float
    verdict: Verdict
    hits: int = 1
    velocity: tuple[float, float] = (0.0, 0.0)
    evidence: Evidence = field(default_factory=Evidence)
    best_faces: BestFaces = field(default_factory=BestFaces)
    best_view: float = 0.0
    identified_at: float | None = None
    ended: bool = False
    stillness: Stillness = field(default_factory=Stillness)
    fixed: bool = False
    question: Question | None = None
    confirmed: Confirmed | None = None

    @property
    def fresh(self) -> bool:
        """Return whether the face was found on the latest frame."""
        return not self.ended and self.last_seen == self.now

    @property
    def live(self) -> bool:
        """Return whether the track has not ended."""
        return not self.ended

    @property
    def is_fixed(self) -> bool:
        """Return whether the face, found on this frame, has been judged and has not moved for long."""
        return self.fresh and self.identified_at is not None and self.stillness.is_fixed(face_size(self.face))

    @property
    def wants_identity(self) -> bool:
        """Return whether to identify it now: found on this frame, and new, unidentified, seen better, or due again."""
        if not self.fresh:
            return False
        if self.question is not None:
            return True
        if self.identified_at is None or self.now - self.identified_at >= _IDENTIFY_AGAIN[self.verdict.kind]:
            return True
        return view_score(self.face) > _BETTER_VIEW * self.best_view

    def expected_centre(self, at: float) -> NDArray[np.float64]:
        """Return the predicted centre of the face at ``at``: float64 (2,), pixels."""
        ahead = min(at - self.last_seen, 0.5)  # beyond half a second a prediction is worse than none
        return np.asarray(self.face.box.centre) + np.asarray(self.velocity) * ahead


def follow(track: Track, face: Face, at: float) -> Track:
    """Return ``track`` after ``face`` was found to be its at ``at``."""
    step = at - track.last_seen
    moved = (np.asarray(face.box.centre) - np.asarray(track.face.box.centre)) / step if step > 0 else np.zeros(2)
    smooth = 0.5 * np.asarray(track.velocity) + 0.5 * moved
    return replace(
        track,
        face=face,
        last_seen=at,
        now=at,
        hits=track.hits + 1,
        velocity=(float(smooth[0]), float(smooth[1])),
        stillness=track.stillness.add(face, at),
    )
