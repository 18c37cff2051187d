"""Tells a person's face from a cat's, a dog's and whatever else a detector takes for one.

Detectors are sure of many an animal: the eyes, nose and mouth are there. An embedding network knows better, because
it never learnt to tell such faces apart, and they lie in a corner of its sphere. One logistic regression on the
embedding finds it (`facesecure-train train personhood`); its weights stand in the embedding model's card. Of the
detector's own score, the geometry of the landmarks, the distance to people's embeddings and this, this alone separates
them (``tests/bench/quality.py`` draws the curves).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Embedding
from facesecure.vision.inference.model_card import ModelCard


@dataclass(frozen=True, slots=True, eq=False)
class HumanFaceFilter:
    """``weights``, float32 (n,) for an embedding of length n, and ``bias``: log-odds of "a person's face"; ``floor``

    is what a face must reach.
    """

    weights: NDArray[np.float32]
    bias: float
    floor: float

    @classmethod
    def from_card(cls, card: ModelCard) -> HumanFaceFilter | None:
        """What was learnt for the model with ``card``; None if nobody did, and every face is taken for a person's."""
        learnt = card.personhood
        return None if learnt is None else cls(np.array(learnt.weights, np.float32), learnt.bias, learnt.floor)

    def log_odds(self, embedding: Embedding) -> float:
        """How likely it is a person, in natural logarithms of the odds; ``embedding`` is float32 (n,)."""
        return float(self.weights @ embedding) + self.bias

    def doubts(self, embedding: Embedding) -> tuple[str, ...]:
        """Why this is not surely a person; empty if it surely is."""
        found = self.log_odds(embedding)
        return () if found >= self.floor else (f"not surely a person: log-odds {found:.1f}, {self.floor:g} needed",)


Doubts = Callable[[Embedding], tuple[str, ...]]
"""Why an embedding is not surely a person's; empty if it surely is."""


def human_filter_for(card: ModelCard) -> Doubts:
    """The doubts learnt for the model with ``card``; none at all if nobody learnt any."""
    learnt = HumanFaceFilter.from_card(card)
    return learnt.doubts if learnt else accept_all


def accept_all(_embedding: Embedding) -> tuple[str, ...]:
    """For a model that has no ``HumanFaceFilter``."""
    return ()
