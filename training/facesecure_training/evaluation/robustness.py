"""Are two faces of one person? By any embedder: cosine where its embeddings have length 1, else Euclidean distance."""

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
    """A threshold that was not chosen on these pairs: ``accuracy``, and the errors of either kind."""

    threshold: float
    accuracy: Share
    false_accepts: Share
    false_rejects: Share


@dataclass(frozen=True, slots=True)
class PairStep:
    """One step of one ladder, by the same threshold: the shares of pairs called one person, which they are and not."""

    strength: float
    accepted: float
    false_accepts: float


def measure_of(vectors: Sequence[NDArray[Any] | None]) -> Measure:
    """How embeddings are compared."""
    lengths = [float(np.linalg.norm(vector)) for vector in vectors if vector is not None]
    return "cosine" if all(abs(length - 1) < 1e-2 for length in lengths) else "distance"


def similarity(measure: Measure, first: NDArray[Any], second: NDArray[Any]) -> float:
    """Higher is more alike: the cosine, or the distance below zero."""
    if measure == "cosine":
        return float(first @ second)
    return -float(np.linalg.norm(np.asarray(first, np.float64) - second))


def to_measure(measure: Measure, score: float) -> float:
    """A score, or a threshold, as people know it: a distance is positive."""
    return score if measure == "cosine" else -score


def threshold_figures(
    measure: Measure, threshold: float, scores: Sequence[float | None], same: Sequence[bool]
) -> ThresholdFigures:
    """``threshold`` is in the measure's own words; a pair without a score is an error, whatever the answer."""
    limit = to_measure(measure, threshold)
    values = np.array([np.nan if score is None else score for score in scores])
    truth, known = np.asarray(same, bool), ~np.isnan(values)
    said = values >= limit
    wrong = (said != truth) | ~known
    return ThresholdFigures(
        threshold,
        share(int((~wrong).sum()), len(truth)),
        share(int(wrong[~truth].sum()), int((~truth).sum())),
        share(int(wrong[truth].sum()), int(truth.sum())),
    )


def robustness(
    network: Network, measure: Measure, limit: float, pairs: Sequence[tuple[Image, Image, bool]]
) -> Mapping[str, Sequence[PairStep]]:
    """Each pair's second crop spoilt, its first left as it is, as an enrolment is: what the rule then says."""
    first = [network.embed(one) for one, _, _ in pairs]
    truth = np.array([same for _, _, same in pairs])
    grid = [(kind, strength) for kind, series in CORRUPTION_SERIES.items() for strength in series.strengths]
    found: dict[str, list[PairStep]] = {kind: [] for kind in CORRUPTION_SERIES}
    for kind, strength in with_progress(grid, "corrupting"):
        change = CORRUPTION_SERIES[kind].corruption
        said = np.array(
            [
                similarity(measure, known, network.embed(change(other, strength))) >= limit
                for known, (_, other, _) in zip(first, pairs, strict=True)
            ]
        )
        found[kind].append(PairStep(strength, float(said[truth].mean()), float(said[~truth].mean())))
    return found
