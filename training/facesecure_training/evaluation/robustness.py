"""Compares two faces by any embedder: by cosine if its embeddings have length 1, else by Euclidean distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure_training.common.corruption_series import CORRUPTION_SERIES
from facesecure_training.common.progress import with_progress
from facesecure_training.evaluation.predictors import Network
from facesecure_training.evaluation.rates import Share, share

Measure = Literal["cosine", "distance"]


@dataclass(frozen=True, slots=True)
class ThresholdFigures:
    """Figures of a threshold that was not chosen on these pairs: ``accuracy``, and the errors of either kind."""

    threshold: float
    accuracy: Share
    false_accepts: Share
    false_rejects: Share


@dataclass(frozen=True, slots=True)
class PairStep:
    """One strength of one corruption: shares accepted of pairs of one person, and of two."""

    strength: float
    accepted: float
    false_accepts: float


def measure_of(vectors: Sequence[NDArray[Any] | None]) -> Measure:
    """Return how embeddings are compared."""
    lengths = [float(np.linalg.norm(vector)) for vector in vectors if vector is not None]
    return "cosine" if all(abs(length - 1) < 1e-2 for length in lengths) else "distance"


def similarity(measure: Measure, first: NDArray[Any], second: NDArray[Any]) -> float:
    """Return a score that is higher for more similar faces: the cosine, or minus the distance."""
    if measure == "cosine":
        return float(first @ second)
    return -float(np.linalg.norm(np.asarray(first, np.float64) - second))


def to_measure(measure: Measure, score: float) -> float:
    """Return a score, or a threshold, in the measure's own sign: a distance is positive."""
    return score if measure == "cosine" else -score


def threshold_figures(
    measure: Measure, threshold: float, scores: Sequence[float | None], same: Sequence[bool]
) -> ThresholdFigures:
    """Return the figures of ``threshold``, given in the measure's own sign.

    A pair without a score is an error, whatever the answer.
    """
    limit = to_measure(measure, threshold)
    values = np.array([np.nan if score is None else score for score in scores])
    truth, known = np.asarray(same, bool), ~np.isnan(values)
    accepted = values >= limit
    wrong = (accepted != truth) | ~known
    return ThresholdFigures(
        threshold,
        share(int((~wrong).sum()), len(truth)),
        share(int(wrong[~truth].sum()), int((~truth).sum())),
        share(int(wrong[truth].sum()), int(truth.sum())),
    )


def robustness(
    network: Network, measure: Measure, limit: float, pairs: Sequence[tuple[Image, Image, bool]]
) -> Mapping[str, Sequence[PairStep]]:
    """Measure the rule on pairs whose second crop is corrupted and whose first is unchanged, like an enrolment."""
    first = [network.embed(one) for one, _, _ in pairs]
    truth = np.array([same for _, _, same in pairs])
    grid = [(kind, strength) for kind, series in CORRUPTION_SERIES.items() for strength in series.strengths]
    found: dict[str, list[PairStep]] = {kind: [] for kind in CORRUPTION_SERIES}
    for kind, strength in with_progress(grid, "corrupting"):
        change = CORRUPTION_SERIES[kind].corruption
        accepted = np.array(
            [
                similarity(measure, known, network.embed(change(other, strength))) >= limit
                for known, (_, other, _) in zip(first, pairs, strict=True)
            ]
        )
        found[kind].append(PairStep(strength, float(accepted[truth].mean()), float(accepted[~truth].mean())))
    return found
