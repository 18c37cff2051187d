"""Turn a classifier's outputs into scores, and fit the distributions of those scores to held-out faces.

A score is a class's log-odds, log p / (1 - p), divided by LIMIT nats and clipped to -1 to 1. All other classes count
against a name, the class of unknown people included. A network may be certain of a person it has never seen; p does not
show that, and only held-out strangers can show how often it happens. The strangers' distribution is therefore fitted to
their tail: a Gaussian that, at each share that so many people can support, reaches the score that this share of them
reached, with the share taken one standard error larger (Wilson, "Probable inference", 1927). Each name has its own
distribution, and names divide the allowed rate. On unseen people it accepted less than half of the rate asked for,
whether the classifier was good or bad and with 20, 100 or 500 held-out strangers; more strangers let more of the
household be named at that rate (docs/classifier.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import UsageError
from facesecure.recognition.score_model import ScoreDistribution
from facesecure.vision.inference.card_fields import ClassifierFacts, ScoreModelFacts, ScoreSpread

Outputs = NDArray[np.floating[Any]]
Scores = NDArray[np.float64]
Meaning = Literal["probabilities", "logits"]

LIMIT = 16.0
"""Largest log-odds that are distinguished: float32 has no number between 1 - 6e-8 and 1."""
THRESHOLD = "unknown"
"""Key of the card's threshold below which a face gets no name."""
NOBODY = ("unknown", "unknowns", "other", "others", "stranger", "strangers", "nobody", "negatives")
"""Labels that by default are no person's name, in any case."""
MIN_STRANGERS = 10
_MIN_PHOTOS = 4
_SHARES = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 1e-4)
_RATES = (0.1, 0.01, 0.001)
_SURE = NormalDist().inv_cdf(0.84)
_MIN_SHARED = 0.5
"""Share of the variance that frames of one visit have in common, at least; few photos cannot show how much it is."""
_UNKNOWN_SHARED = 0.9
_MIN_SPREAD = 0.1
"""Smallest spread of a name's scores, as a share of their distance to strangers', as the bundled embedder has:
validation photos resemble the training photos more than the camera's images will."""
_FINEST = 1e-5
"""The smallest spread that a card states: a network may give all of a person's faces one score."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The result of a fit: the card's ``classifier`` and ``thresholds``."""

    facts: ClassifierFacts
    thresholds: dict[str, float]


def nobodies(labels: Sequence[str]) -> tuple[str, ...]:
    """Return those of ``labels`` that by custom name no person ("unknown", "others")."""
    return tuple(label for label in labels if label.strip("_ ").casefold() in NOBODY)


def scores_of(outputs: Outputs, meaning: Meaning = "probabilities") -> Scores:
    """Return the score of every class, float64 (n, classes) from -1 to 1, for ``outputs`` (n, classes)."""
    given = np.asarray(outputs, np.float64)
    weights = np.exp(given - given.max(axis=1, keepdims=True)) if meaning == "logits" else np.maximum(given, 0.0)
    others = weights.sum(axis=1, keepdims=True) - weights
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(weights) - np.log(np.maximum(others, 0.0))
    return np.asarray(np.clip(np.nan_to_num(odds / LIMIT, nan=-1.0), -1.0, 1.0), np.float64)


def fit(
    facts: ClassifierFacts,
    labels: Sequence[str],
    genuine: Mapping[str, Sequence[Outputs]],
    strangers: Sequence[Outputs],
    *,
    dataset: str,
    rate: float = 0.01,
) -> Fitted:
    """Fit the card's score distributions and threshold to the exported file's outputs on held-out images.

    ``genuine`` holds the visits (videos, or single photos) of each name, outputs (n, classes) each, and ``strangers``
    the outputs for each person who belongs to no class, or to one of unknown people. ``rate`` is the share of
    strangers' faces that the threshold accepts, ``facts`` describes the outputs. Raises UsageError if there are too few
    images, or the network cannot separate a name from strangers.
    """
    names = [label for label in labels if label not in facts.unknown]
    _require_enough(names, genuine, strangers)
    columns = {name: labels.index(name) for name in names}
    unseen = [scores_of(one, facts.output) for one in strangers]
    scores = {
        name: _score_model(name, [scores_of(one, facts.output)[:, column] for one in genuine[name]], unseen, column)
        for name, column in columns.items()
    }
    measured = {
        "scores": scores,
        "strangers": len(unseen),
        "faces": sum(map(len, unseen)),
        "dataset": dataset,
        "rates": _rates(unseen, list(columns.values())),
    }
    best = [one[:, list(columns.values())].max(axis=1) for one in unseen]
    return Fitted(facts.model_copy(update=measured), {THRESHOLD: _threshold(best, rate)})


def _require_enough(
    names: Sequence[str], genuine: Mapping[str, Sequence[Outputs]], strangers: Sequence[Outputs]
) -> None:
    poor = [name for name in names if sum(map(len, genuine.get(name, ()))) < _MIN_PHOTOS]
    if poor:
        what = f"too few held-out photos of: {', '.join(poor)}"
        raise UsageError(what, f"keep at least {_MIN_PHOTOS} of every person for validation")
    if len(strangers) < MIN_STRANGERS or not all(map(len, strangers)):
        what = f"{len(strangers)} strangers are too few to measure how often one is named"
        raise UsageError(what, f"hold out at least {MIN_STRANGERS} people who are in no class; a hundred are better")


def _score_model(name: str, own: Sequence[Scores], unseen: Sequence[Scores], column: int) -> ScoreModelFacts:
    impostor = _spread([one[:, column] for one in unseen], towards=1, sure=_SURE)
    mean = float(np.mean([one.mean() for one in own]))
    if mean <= impostor.mean:
        raise UsageError(f"this network cannot separate {name} from strangers", "train longer, or on more photos")
    genuine = _spread(own, towards=-1, sure=0.0, least=_MIN_SPREAD * (mean - impostor.mean))
    return ScoreModelFacts(genuine=genuine, impostor=impostor)


def _spread(groups: Sequence[Scores], *, towards: int, sure: float, least: float = 0.01) -> ScoreSpread:
    """Fit the scores of several people (or visits), whose tail ``towards`` (1 up, -1 down) matters."""
    mean, (deviation, shared) = float(np.mean([one.mean() for one in groups])), _components(groups)
    shares = [share for share in (*_SHARES, 1 / len(groups)) if share * len(groups) >= 1]
    tail = max((_needed(groups, mean, share, towards, sure) for share in shares), default=0.0)
    whole = max(deviation, tail, least)
    between, within = (max(_FINEST, round(whole * math.sqrt(part), 5)) for part in (shared, 1 - shared))
    return ScoreSpread(mean=round(mean, 4), sd_between=between, sd_within=within)


def _components(groups: Sequence[Scores]) -> tuple[float, float]:
    """Return the standard deviation of a score and the group's share of its variance, by analysis of variance."""
    scores, count = np.concatenate(groups), len(groups)
    deviation = float(scores.std())
    free = len(scores) - count
    if count < 2 or free < count or deviation == 0:
        return deviation, _UNKNOWN_SHARED
    within = math.fsum(float(((one - one.mean()) ** 2).sum()) for one in groups) / free
    return deviation, min(max(1 - within / deviation**2, _MIN_SHARED), 0.99)


def _needed(groups: Sequence[Scores], mean: float, share: float, towards: int, sure: float) -> float:
    """Return the standard deviation that reaches as far as ``share`` of all people did; 0 where that is unsupported."""
    away = towards * (_reached_by(groups, share, towards) - mean)
    chance = _at_most(share, len(groups), sure)
    return max(0.0, away) / NormalDist().inv_cdf(1 - chance) if chance < 0.45 else 0.0


def _at_most(share: float, people: int, sure: float) -> float:
    """Return Wilson's upper bound of a ``share`` observed among ``people``; the share itself if ``sure`` is 0."""
    square = sure**2 / people
    spread = math.sqrt(share * (1 - share) * square + square**2 / 4)
    return (share + square / 2 + spread) / (1 + square)


def _reached_by(groups: Sequence[Scores], share: float, towards: int) -> float:
    """Return the score that ``share`` of all faces reach, each person counting the same."""
    scores, reaching = _ordered(groups, towards)
    return float(scores[min(int(np.searchsorted(reaching, share - 1e-9)), len(scores) - 1)])


def _ordered(groups: Sequence[Scores], towards: int) -> tuple[Scores, Scores]:
    """Return the scores, farthest ``towards`` first, and the cumulative share of people at each."""
    scores = np.concatenate(groups)
    weights = np.concatenate([np.full(len(one), 1 / len(one) / len(groups)) for one in groups])
    order = np.argsort(-towards * scores, kind="stable")
    return scores[order], np.cumsum(weights[order])


def _threshold(best: Sequence[Scores], rate: float) -> float:
    """Return the lowest score that at most ``rate`` of strangers' faces reach; above 1 if there is none."""
    scores, reaching = _ordered(best, 1)
    above = scores[min(int(np.searchsorted(reaching, rate + 1e-9)), len(scores) - 1)]
    return round(math.ceil(float(above) * 1e4 + 1e-6) / 1e4, 4)


def _rates(unseen: Sequence[Scores], columns: Sequence[int]) -> dict[str, float]:
    """Return the share of faces named, by rate, when each half of the strangers is scored by the other half's fit."""
    halves = unseen[::2], unseen[1::2]
    found = []
    for known, others in (halves, halves[::-1]):
        spreads = [_spread([one[:, column] for one in known], towards=1, sure=_SURE) for column in columns]
        found.append([_accepted(others, columns, spreads, rate) for rate in _RATES])
    return {f"{rate:g}": round(float(got), 6) for rate, got in zip(_RATES, np.mean(found, axis=0), strict=True)}


def _accepted(people: Sequence[Scores], columns: Sequence[int], spreads: Sequence[ScoreSpread], rate: float) -> float:
    limits = [
        ScoreDistribution(spread.mean, spread.sd_between, spread.sd_within).score_reached_with(rate / len(columns), 1)
        for spread in spreads
    ]
    return float(np.mean([(one[:, list(columns)] >= limits).any(axis=1).mean() for one in people]))
