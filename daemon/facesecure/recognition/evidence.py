"""Adds up what the faces of one track say about each person enrolled.

What is compared is the direction of the mean of all faces: their scores' weighted sum over the length of their
embeddings' weighted sum, which is its cosine to a template (to the nearest of several, face by face). So what the
pictures of a visit do not share, light and blur and turning, is averaged out of the face before it is compared.

Every usable face counts, so a face unlike Tom is evidence against Tom; nothing is thrown away. What counts for less is
said by how much: neighbouring frames, because they are hardly a second opinion, and unclear faces.
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
"""Seconds after which another frame of the same face counts nearly (63 %) as much as a fresh one."""
_LEAST_NEW = 0.15
"""What the very next frame still adds; sensor noise and blur do differ."""
_UNCLEAR_NOISE = 5.0
"""How much noisier a genuine score is without any clarity than with all of it, as variances, on degraded photos."""
_LEAST_LENGTH = 0.6
"""The mean of a visit's faces is not taken to be shorter than this: so short it is where half of them are somebody
else's (a track that two people share), who must not be averaged away. One visit in 1,000 is so short otherwise."""


@dataclass(frozen=True, slots=True)
class ScoreAccumulator:
    """One person's scores over a track: the score of its mean direction, and how much it rests on.

    ``resultant`` is the weighted sum of the faces' embeddings, float32 (n,); None where faces have none, and then
    scores are simply averaged.
    """

    score_sum: float = 0.0
    clarity_sum: float = 0.0
    weight: float = 0.0
    square: float = 0.0
    embedding_sum: NDArray[np.float32] | None = field(default=None, compare=False)

    def add(self, score: float, clarity: float, novelty: float, embedding: Embedding | None = None) -> ScoreAccumulator:
        """Another face: ``novelty`` (0 to 1) of it is new, and ``clarity`` (0 to 1) of its likeness is left.

        ``embedding``: float32 (n,) of length 1; all faces of a tally have one, or none has.
        """
        worth = _worth(clarity)
        weight = novelty * worth
        return ScoreAccumulator(
            self.score_sum + weight * score,
            self.clarity_sum + weight * clarity,
            self.weight + weight,
            self.square + weight * worth,
            self._with(embedding, weight),
        )

    @property
    def score(self) -> float:
        """The score of the mean of all faces; the clearer a face, the more it counts."""
        return min(1.0, self.score_sum / self.weight / self.length)

    @property
    def length(self) -> float:
        """How long the mean of the faces' unit vectors is, 1 where they are all the same or not known."""
        if self.embedding_sum is None:
            return 1.0
        return min(1.0, max(_LEAST_LENGTH, float(np.linalg.norm(self.embedding_sum)) / self.weight))

    @property
    def clarity(self) -> float:
        """The mean clarity, weighted as the scores are."""
        return min(1.0, self.clarity_sum / self.weight)

    @property
    def effective_faces(self) -> float:
        """How many independent faces the mean is as good as (Kish's effective sample size)."""
        return self.weight**2 / self.square

    def _with(self, embedding: Embedding | None, weight: float) -> NDArray[np.float32] | None:
        if embedding is None or (self.embedding_sum is None and self.weight):
            return None
        added = np.float32(weight) * embedding
        return added if self.embedding_sum is None else self.embedding_sum + added


@dataclass(frozen=True, slots=True)
class Evidence:
    """The faces of one track so far: how many were ``usable`` and ``refused``, and everybody's tally."""

    usable: int = 0
    refused: int = 0
    last_at: float | None = None
    tallies: Mapping[str, ScoreAccumulator] = field(default_factory=lambda: MappingProxyType({}))
    last_reasons: tuple[str, ...] = ()

    def refuse(self, quality: Quality) -> Evidence:
        """A face that was too poor to tell: counted, remembered why, and no evidence at all."""
        return replace(self, refused=self.refused + 1, last_reasons=quality.reasons)

    def add(self, recognition: Recognition, quality: Quality, at: float) -> Evidence:
        """One usable face seen at ``at`` seconds. A person enrolled meanwhile starts with this face."""
        novelty, embedding = self._novelty(at), recognition.embedding if recognition.cosines else None
        tallies = {
            name: self.tallies.get(name, ScoreAccumulator()).add(score, quality.clarity, novelty, embedding)
            for name, score in recognition.scores.items()
        }
        return replace(self, usable=self.usable + 1, last_at=at, tallies=MappingProxyType(tallies))

    def ranked(self) -> list[tuple[str, ScoreAccumulator]]:
        """(name, tally), best mean first; ties by name."""
        return sorted(self.tallies.items(), key=lambda item: (-item[1].score, item[0]))

    def _novelty(self, at: float) -> float:
        if self.last_at is None:
            return 1.0
        return max(_LEAST_NEW, 1 - math.exp(-(at - self.last_at) / _INDEPENDENT_AFTER))


def _worth(clarity: float) -> float:
    """What an unclear face weighs beside a clear one: its signal squared over its noise, both as measured."""
    return max(clarity, 0.01) ** 2 / (1 + _UNCLEAR_NOISE * (1 - clarity))
