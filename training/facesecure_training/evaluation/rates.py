"""Shares with their intervals, and the figures of a threshold: ROC, DET, EER, TAR at a FAR.

Higher scores mean more similar: of ``genuine`` pairs (or faces of known people) and of ``impostor`` ones. A genuine
score of -inf is accepted by no threshold: no face was found, or another name is nearer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import UsageError

Scores = NDArray[np.float64]
FARS = (1e-2, 1e-3)
_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Share:
    """``right`` of ``count``, as a share from 0 to 1, with the ends of its 95 % interval (Wilson 1927)."""

    right: int
    count: int
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2%} ({self.low:.2%} to {self.high:.2%}, {self.right} of {self.count})"


def share(right: int, count: int) -> Share:
    """Return a share with Wilson's score interval.

    "Probable inference, the law of succession, and statistical inference", JASA 22.
    """
    if count == 0:
        return Share(0, 0, 0.0, 0.0, 1.0)  # nothing is known
    p, square = right / count, _Z**2 / count
    middle, half = p + square / 2, _Z * math.sqrt((p * (1 - p) + square / 4) / count)
    low, high = ((middle + sign * half) / (1 + square) for sign in (-1, 1))
    return Share(right, count, p, min(p, max(0.0, low)), max(p, min(1.0, high)))


@dataclass(frozen=True, slots=True)
class TarAtFar:
    """The threshold for the false accept rate ``far``, the true accept rate ``tar`` there, and the rate measured.

    ``shown`` is whether there were enough impostors to measure such a rate: at least one above it.
    """

    far: float
    threshold: float
    tar: Share
    got: Share
    shown: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """``far`` and ``tar`` (0 to 1) at falling ``thresholds``; thinned out, with the ends kept."""

    thresholds: tuple[float, ...]
    far: tuple[float, ...]
    tar: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Rates:
    """All figures for one set of scores; ``eer`` and ``auc`` are shares."""

    genuine: int
    impostors: int
    eer: float
    eer_threshold: float
    auc: float
    accepted: tuple[TarAtFar, ...]
    curve: Curve


def rates(genuine: Sequence[float] | Scores, impostor: Sequence[float] | Scores) -> Rates:
    """Return the figures for genuine and impostor scores. Raises UsageError if there are none of either."""
    own, others = np.asarray(genuine, np.float64), np.asarray(impostor, np.float64)
    if not len(own) or not len(others):
        raise UsageError("rates need scores of both kinds", "add images of the same person, and of others")
    steps = np.unique(np.concatenate([own[np.isfinite(own)], others[np.isfinite(others)]]))[::-1]
    limits = np.concatenate([[np.inf], steps])
    far, tar = _reaching(others, limits), _reaching(own, limits)
    at = int(np.argmin(np.abs(far - (1 - tar))))
    return Rates(
        genuine=len(own),
        impostors=len(others),
        eer=float((far[at] + 1 - tar[at]) / 2),
        eer_threshold=float(limits[max(at, 1)]),
        auc=float(np.trapezoid(np.append(tar, 1.0), np.append(far, 1.0))),
        accepted=tuple(tar_at_far(own, others, rate) for rate in FARS),
        curve=_thinned(limits, far, tar),
    )


def tar_at_far(own: Scores, others: Scores, far: float) -> TarAtFar:
    """Return the true accept rate at the lowest threshold that no more than ``far`` of ``others`` reach."""
    limit = threshold_at(others, far)
    right, wrong = int((own >= limit).sum()), int((others >= limit).sum())
    return TarAtFar(far, limit, share(right, len(own)), share(wrong, len(others)), len(others) * far >= 1)


def threshold_at(others: Scores, far: float) -> float:
    """Return the lowest threshold that at most ``far`` of ``others`` reach: just above the first score too many."""
    allowed = math.floor(far * len(others) + 1e-9)
    ranked = np.sort(others)[::-1]
    if allowed >= len(ranked):
        return float(ranked[-1])
    return float(np.nextafter(ranked[allowed], np.inf))


def _reaching(scores: Scores, limits: Scores) -> Scores:
    """Return the share of ``scores`` that reaches each of ``limits``."""
    ranked = np.sort(scores)
    return np.asarray(1 - np.searchsorted(ranked, limits, side="left") / len(ranked), np.float64)


def _thinned(limits: Scores, far: Scores, tar: Scores, most: int = 300) -> Curve:
    """Return points spaced evenly along the curve and along its logarithm, the range that matters at a door."""
    if len(limits) > most:
        even = np.linspace(0, len(limits) - 1, most // 2).astype(int)
        low = np.searchsorted(far, np.logspace(-5, 0, most // 2))
        keep = np.unique(np.concatenate([even, np.minimum(low, len(limits) - 1)]))
        limits, far, tar = limits[keep], far[keep], tar[keep]
    finite = np.isfinite(limits)
    return Curve(*(tuple(float(f"{value:.6g}") for value in one[finite]) for one in (limits, far, tar)))
