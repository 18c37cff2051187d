"""Verification by LFW's ten folds: whether two photos show one person.

Huang et al., "Labeled Faces in the Wild", 2007: the threshold is chosen on nine folds, the accuracy is measured on the
tenth, ten times. A pair in which no face is found in a photo is an error, whatever the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import UsageError

FOLDS = 10
Scores = NDArray[np.float64]
Answers = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """``accuracy`` and ``sd`` over folds, in percent; ``threshold`` is the folds' mean, a cosine.

    ``accuracy_found`` excludes the ``pairs_without_face``.
    """

    accuracy: float
    sd: float
    accuracy_found: float
    threshold: float
    pairs: int
    pairs_without_face: int
    photos: int
    photos_without_face: int

    def as_json(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return asdict(self)


def evaluate(scores: Sequence[float | None], same: Sequence[bool], photos: int, faceless: int) -> VerificationReport:
    """Return the report; ``scores`` are cosines, None where a face is missing.

    Raises UsageError with too few pairs for ten folds.
    """
    answers = np.asarray(same, bool)
    values = np.array([np.nan if score is None else score for score in scores], np.float64)
    if min(answers.sum(), (~answers).sum()) < FOLDS:
        raise UsageError(f"{len(answers)} pairs are too few", f"ten folds need {FOLDS} pairs of each kind, and more")
    accuracies, found, thresholds = [], [], []
    for test in _folds(answers):
        threshold = best_threshold(values[~test], answers[~test])
        right = _right(values[test], answers[test], threshold)
        accuracies.append(right.mean())
        found.append(right[~np.isnan(values[test])].mean())
        thresholds.append(threshold)
    return VerificationReport(
        accuracy=100 * float(np.mean(accuracies)),
        sd=100 * float(np.std(accuracies, ddof=1)),
        accuracy_found=100 * float(np.mean(found)),
        threshold=float(np.mean(thresholds)),
        pairs=len(answers),
        pairs_without_face=int(np.isnan(values).sum()),
        photos=photos,
        photos_without_face=faceless,
    )


def _folds(answers: Answers) -> list[Answers]:
    """Return ten masks of test pairs, each with its share of both answers; neighbours in the list stay together."""
    fold = np.empty(len(answers), int)
    for answer in (True, False):
        where = np.flatnonzero(answers == answer)
        fold[where] = np.arange(len(where)) * FOLDS // len(where)
    return [fold == number for number in range(FOLDS)]


def best_threshold(values: Scores, answers: Answers) -> float:
    """Return the threshold with the fewest errors, half-way between neighbouring scores.

    Of several, the middle one. Missing scores (NaN) are ignored.
    """
    known = ~np.isnan(values)
    order = np.argsort(values[known])
    ranked, truth = values[known][order], answers[known][order]
    # Cutting before position i calls everything from i on the same person.
    errors = np.concatenate(([0], np.cumsum(truth))) + np.concatenate((np.cumsum(~truth[::-1])[::-1], [0]))
    best = np.flatnonzero(errors == errors.min())
    cut = int(best[len(best) // 2])
    edges = np.concatenate(([ranked[0] - 1e-3], (ranked[1:] + ranked[:-1]) / 2, [ranked[-1] + 1e-3]))
    return float(edges[cut])


def _right(values: Scores, answers: Answers, threshold: float) -> Answers:
    """Return where the decision is right; a missing face (NaN) is never right."""
    right: Answers = ~np.isnan(values) & ((values >= threshold) == answers)
    return right
