"""Add up the scores of a track's faces, for each person enrolled.

What is compared is the direction of the mean of all faces: the weighted sum of their scores, divided by the length of
the weighted sum of their embeddings, is the mean's cosine to a template (to the nearest of several, face by face). What
the images of a visit do not share, such as light, blur and pose, is thus averaged out before the comparison.

Every usable face counts, so that a face unlike Tom is evidence against Tom. What counts for less is weighted:
neighbouring frames, because they are hardly independent, and unclear faces.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Embedding, Quality, Recognition

_INDEPENDENT_AFTER = 0.7
"""Seconds after which another frame of the same face counts nearly (63 %) as much as an independent one."""
_MIN_NOVELTY = 0.15
"""Weight of the very next frame: sensor noise and blur do differ."""
_UNCLEAR_NOISE = 5.0
"""Additional variance of a genuine score without any clarity, relative to full clarity; measured on degraded photos."""
_MIN_LENGTH = 0.6
"""The mean of a visit's faces is taken to be at least this long. Shorter means come from tracks of which half the faces
are another person's, who must not be averaged away; of other visits one in 1,000 has a shorter mean."""


@dataclass(frozen=True, slots=True)
class ScoreAccumulator:
    """One person's scores over a track: the score of the mean face, and its weight.

    ``embedding_sum`` is the weighted sum of the faces' embeddings, float32 (n,); None where scores are no cosines, and
    are then averaged. Example::

        accumulator = ScoreAccumulator().add(0.62, clarity=0.9, novelty=1.0, embedding=embedding)
        accumulator.score, accumulator.effective_faces
    """

    score_sum: float = 0.0
    clarity_sum: float = 0.0
    weight: float = 0.0
    squared_weight: float = 0.0
    embedding_sum: NDArray[np.float32] | None = field(default=None, compare=False)

    def add(self, score: float, clarity: float, novelty: float, embedding: Embedding | None = None) -> ScoreAccumulator:
        """Return the accumulator with another face: ``novelty`` (0 to 1) of it is new, its ``clarity`` is 0 to 1.

        ``embedding``: float32 (n,) of length 1; either all faces have one or none.
        """
        clarity_weight = _clarity_weight(clarity)
        weight = novelty * clarity_weight
        return ScoreAccumulator(
            self.score_sum + weight * score,
            self.clarity_sum + weight * clarity,
            self.weight + weight,
            self.squared_weight + weight * clarity_weight,
            self._with(embedding, weight),
        )

    @property
    def score(self) -> float:
        """The score of the weighted mean of all faces."""
        return min(1.0, self.score_sum / self.weight / self.length)

    @property
    def length(self) -> float:
        """The length of the mean of the faces' unit vectors; 1 if they are all the same, or not known."""
        if self.embedding_sum is None:
            return 1.0
        return min(1.0, max(_MIN_LENGTH, float(np.linalg.norm(self.embedding_sum)) / self.weight))

    @property
    def clarity(self) -> float:
        """The mean clarity, weighted as the scores are."""
        return min(1.0, self.clarity_sum / self.weight)

    @property
    def effective_faces(self) -> float:
        """The number of independent faces that the mean is worth (Kish's effective sample size)."""
        return self.weight**2 / self.squared_weight

    def _with(self, embedding: Embedding | None, weight: float) -> NDArray[np.float32] | None:
        if embedding is None or (self.embedding_sum is None and self.weight):
            return None
        added = np.float32(weight) * embedding
        return added if self.embedding_sum is None else self.embedding_sum + added


@dataclass(frozen=True, slots=True)
class Evidence:
    """The faces of one track so far: the number ``usable`` and ``refused``, and each person's accumulated scores.

    ``faces`` accumulates the faces themselves, whoever they are, to tell whether another one is the same person's.

    Example::

        evidence = Evidence().add(recognition, aligned.quality, at=12.5)
        name, accumulator = evidence.ranked()[0]
    """

    usable: int = 0
    refused: int = 0
    last_at: float | None = None
    accumulators: Mapping[str, ScoreAccumulator] = field(default_factory=lambda: MappingProxyType({}))
    last_reasons: tuple[str, ...] = ()
    faces: ScoreAccumulator = field(default_factory=ScoreAccumulator)

    @property
    def comparable(self) -> bool:
        """Return whether there is a face that another one can be compared with."""
        return self.faces.embedding_sum is not None

    @property
    def mean_face(self) -> Embedding | None:
        """The mean direction of the usable faces, float32 (n,) of length 1; None if they have no embeddings."""
        total = self.faces.embedding_sum
        length = 0.0 if total is None else float(np.linalg.norm(total))
        return None if total is None or length == 0 else np.asarray(total / length, np.float32)

    def refuse(self, quality: Quality) -> Evidence:
        """Return the evidence with a face that was too poor: it is counted and its reasons kept, without a score."""
        return replace(self, refused=self.refused + 1, last_reasons=quality.reasons)

    def add(self, recognition: Recognition, quality: Quality, at: float) -> Evidence:
        """Return the evidence with a usable face seen at ``at`` seconds. A person enrolled meanwhile starts with it."""
        novelty, embedding = self._novelty(at), recognition.embedding if recognition.cosines else None
        accumulators = {
            name: self.accumulators.get(name, ScoreAccumulator()).add(score, quality.clarity, novelty, embedding)
            for name, score in recognition.scores.items()
        }
        faces = self.faces.add(0.0, quality.clarity, novelty, recognition.embedding)
        return replace(
            self, usable=self.usable + 1, last_at=at, accumulators=MappingProxyType(accumulators), faces=faces
        )

    def ranked(self) -> list[tuple[str, ScoreAccumulator]]:
        """Return (name, accumulator) pairs, highest score first; equal scores are ordered by name."""
        return sorted(self.accumulators.items(), key=lambda item: (-item[1].score, item[0]))

    def _novelty(self, at: float) -> float:
        if self.last_at is None:
            return 1.0
        return max(_MIN_NOVELTY, 1 - math.exp(-(at - self.last_at) / _INDEPENDENT_AFTER))


def _clarity_weight(clarity: float) -> float:
    """Return the weight of an unclear face beside a clear one: its signal squared over its noise, both as measured."""
    return max(clarity, 0.01) ** 2 / (1 + _UNCLEAR_NOISE * (1 - clarity))
