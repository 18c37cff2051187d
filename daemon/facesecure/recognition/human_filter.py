"""Tell a person's face from an animal's, and from other false detections.

Detectors are certain of many animals: eyes, nose and mouth are there. An embedding network separates them, because it
was never trained to tell such faces apart and maps them to one region of the sphere. A logistic regression on the
embedding finds that region (``facesecure-train train personhood``); its weights are part of the embedding model's card.
Of the detector's score, the geometry of the landmarks, the distance to people's embeddings and this regression, only
the last one separates the two (``benchmarks/quality.py`` draws the curves).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Embedding
from facesecure.util.rounding import apart
from facesecure.vision.inference.model_card import ModelCard

Doubts = Callable[[Embedding], tuple[str, ...]]
"""Returns the reasons why an embedding may not be a person's; empty if it certainly is."""


@dataclass(frozen=True, slots=True, eq=False)
class HumanFaceFilter:
    """A logistic regression: ``weights``, float32 (n,), and ``bias`` give the log-odds of a person's face.

    ``floor`` is what a face must reach. Example::

        HumanFaceFilter(weights, bias=-1.2, floor=0.0).doubts(embedding)  # () for a person
    """

    weights: NDArray[np.float32]
    bias: float
    floor: float

    @classmethod
    def from_card(cls, card: ModelCard) -> HumanFaceFilter | None:
        """Return the filter that was trained for the model with ``card``, None if there is none."""
        trained = card.personhood
        return None if trained is None else cls(np.array(trained.weights, np.float32), trained.bias, trained.floor)

    def log_odds(self, embedding: Embedding) -> float:
        """Return the natural log-odds that ``embedding``, float32 (n,), is a person's."""
        return float(self.weights @ embedding) + self.bias

    def doubts(self, embedding: Embedding) -> tuple[str, ...]:
        """Return why ``embedding`` may not be a person's; empty if it reaches the floor."""
        found = self.log_odds(embedding)
        if found >= self.floor:
            return ()
        return (f"not surely a person: log-odds {apart(found, self.floor, 1)[0]}, {self.floor:g} needed",)


def human_filter_for(card: ModelCard) -> Doubts:
    """Return the filter for embeddings of the model with ``card``; one that accepts all if none was trained."""
    trained = HumanFaceFilter.from_card(card)
    return trained.doubts if trained else accept_all


def accept_all(_embedding: Embedding) -> tuple[str, ...]:
    """Return no doubts: the filter of a model without ``HumanFaceFilter``."""
    return ()
