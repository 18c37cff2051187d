"""Whether somebody unknown was here before: visits that look alike are one visitor's.

A visit is compared with each visitor as a whole, mean against mean, and joins the likeliest where two different people
would come this close less than once in a thousand, however many visitors there are to resemble (Bonferroni), and being
the same person is the likelier of the two. It must also be no stranger to any single earlier visit: so one in-between
face cannot chain two people together, and two visitors never become one.

Two means are compared as the score model compares one face with a template: asked for 1 in 1,000, pairs of different
people joined 0.9, 1.1 and 1.1 times in 1,000 (means of 2, 3 and 5 photos of Labelled Faces in the Wild at 150 pixels),
and at most 0.4 % of one person's pairs were missed; single photos 0.6 times, and 3.5 % were missed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Embedding
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.templates import template_of

_ONE = 1.0
"""Faces that a mean counts for: those of one visit share its light and its view."""


@dataclass(frozen=True, slots=True, eq=False)
class VisitEmbedding:
    """The faces of one visit as one: their mean direction, float32 (d,) of length 1, and their mean clarity."""

    mean: Embedding
    clarity: float

    @classmethod
    def of(cls, embeddings: NDArray[np.float32], clarities: Sequence[float]) -> VisitEmbedding:
        """From ``embeddings`` (k, d) and as many clarities, k at least 1."""
        return cls(template_of(embeddings), float(np.mean(clarities)))


MatchVisitor = Callable[[VisitEmbedding, Mapping[int, Sequence[VisitEmbedding]]], int | None]
"""Returns the number of the visitor that a visit belongs to, or None for a new one (``VisitorMatcher.match``)."""


@dataclass(frozen=True, slots=True)
class VisitorMatcher:
    """Says which visitor a visit is another visit of.

    ``chance``: how often two different people may be taken for one; ``link`` the same for the weakest of the visits.
    """

    model: ScoreModel
    chance: float = 1e-3
    link: float = 1e-2

    def match(self, newcomer: VisitEmbedding, visitors: Mapping[int, Sequence[VisitEmbedding]]) -> int | None:
        """The visitor (by number) whose visits include one like ``newcomer``; None for somebody new."""
        scores = {number: _likeness(newcomer, visits) for number, visits in visitors.items()}
        for number, score in sorted(scores.items(), key=lambda item: (-item[1], item[0])):
            if self.model.impostor.chance_of_reaching(score, _ONE) * len(visitors) > self.chance:
                return None
            if self._the_same(newcomer, visitors[number], score):
                return number
        return None

    def _the_same(self, newcomer: VisitEmbedding, visits: Sequence[VisitEmbedding], score: float) -> bool:
        clarity = newcomer.clarity * float(np.mean([visit.clarity for visit in visits]))
        weakest = min(float(visit.mean @ newcomer.mean) for visit in visits)
        return (
            self.model.log_likelihood_ratio(score, _ONE, clarity) > 0
            and self.model.impostor.chance_of_reaching(weakest, _ONE) <= self.link
        )


def _likeness(newcomer: VisitEmbedding, visits: Sequence[VisitEmbedding]) -> float:
    """Cosine to the mean of all visits, each counting the same."""
    mean = np.mean([visit.mean for visit in visits], axis=0)
    return float(mean @ newcomer.mean / np.linalg.norm(mean))
