"""Open-set identification in households: how often the family is named, and how many strangers with them.

Each way of comparing gives every face a best name and a score. The threshold is set so that a given rate of all
strangers (different people, one photo each) passes; a face of the family counts if the name is right and the score
above it. The intervals are bootstrapped over households, because faces of one household share its templates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facesecure.recognition.templates import templates_of
from facesecure_training.evaluation.households import Household
from facesecure_training.evaluation.observations import FaceObservation
from facesecure_training.evaluation.rates import Rates
from facesecure_training.evaluation.rates import rates as rates_by_threshold

RATES = (1e-2, 1e-3, 1e-4)
_RESAMPLES = 400

Scores = NDArray[np.float32]
Compare = Callable[[Household, Sequence[FaceObservation]], Scores]
"""Scores (faces, people) of observations against every person of a household, higher is nearer."""


@dataclass(frozen=True, slots=True)
class PercentInterval:
    """A share in percent, with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """At the rate ``asked`` of strangers let in: the score it takes, and the share of the family ``named`` correctly.

    ``per_person`` gives each person the same weight, however many photos they have.
    """

    asked: float
    threshold: float
    named: PercentInterval
    per_person: float


@dataclass(frozen=True, slots=True, eq=False)
class HouseholdScores:
    """One household's scores.

    Of the family's faces: the best score, whether its name is right, and the person (a running number); of the
    strangers': the best score.
    """

    family: Scores
    right: NDArray[np.bool_]
    owner: NDArray[np.intp]
    strangers: Scores


def nearest_template(household: Household, observations: Sequence[FaceObservation]) -> Scores:
    """Score faces by the nearest of each person's templates, made as enrolment makes them."""
    faces = _stack(observations)
    columns = [(faces @ _templates(some).T).max(1) for some in household.enrolled.values()]
    return np.asarray(np.stack(columns, 1), np.float32)


def _templates(enrolled: Sequence[FaceObservation]) -> Scores:
    return np.stack(
        [one.direction for one in templates_of(np.stack([observation.embedding for observation in enrolled]))]
    )


def nearest_photo(household: Household, observations: Sequence[FaceObservation]) -> Scores:
    """Score faces by the nearest of each person's photos."""
    faces = _stack(observations)
    columns = [(faces @ _stack(some).T).max(1) for some in household.enrolled.values()]
    return np.asarray(np.stack(columns, 1), np.float32)


def mean_by_distance(household: Household, observations: Sequence[FaceObservation]) -> Scores:
    """Score faces by minus the distance to the mean of each person's photos, for embeddings that are points."""
    faces = _stack(observations)
    means = [_stack(some).mean(0) for some in household.enrolled.values()]
    return np.asarray(np.stack([-np.linalg.norm(faces - mean, axis=1) for mean in means], 1), np.float32)


def nearest_by_distance(household: Household, observations: Sequence[FaceObservation]) -> Scores:
    """Score faces by minus the distance to the nearest of each person's photos."""
    faces = _stack(observations)
    known = [_stack(some) for some in household.enrolled.values()]
    columns = [-np.linalg.norm(faces[:, None] - some[None], axis=2).min(1) for some in known]
    return np.asarray(np.stack(columns, 1), np.float32)


def rates_of(outcomes: Sequence[HouseholdScores]) -> Rates:
    """Return the ROC and its figures: no threshold accepts a face of the family that is nearest to another name."""
    family = np.concatenate([np.where(one.right, one.family, -np.inf) for one in outcomes])
    return rates_by_threshold(family, np.concatenate([one.strangers for one in outcomes]))


def _stack(observations: Sequence[FaceObservation]) -> Scores:
    return np.stack([observation.embedding for observation in observations])


def compare(households: Iterable[Household], how: Compare) -> list[HouseholdScores]:
    """Score every household by ``how``."""
    return [_outcome(household, how) for household in households]


def _outcome(household: Household, how: Compare) -> HouseholdScores:
    sizes = [len(observations) for observations in household.probes.values()]
    owner = np.repeat(np.arange(len(sizes)), sizes)
    scores = how(household, [observation for observations in household.probes.values() for observation in observations])
    return HouseholdScores(scores.max(1), scores.argmax(1) == owner, owner, how(household, household.strangers).max(1))


def operating_points(
    outcomes: Sequence[HouseholdScores], asked: Sequence[float] = RATES, seed: int = 0
) -> list[OperatingPoint]:
    """Return how many of the family are named at each rate of strangers let in."""
    return [_rate(outcomes, one, seed) for one in asked]


def _rate(outcomes: Sequence[HouseholdScores], asked: float, seed: int) -> OperatingPoint:
    threshold = float(np.quantile(np.concatenate([one.strangers for one in outcomes]), 1 - asked))
    named = [one.right & (one.family > threshold) for one in outcomes]
    each = [found[one.owner == n].mean() for one, found in zip(outcomes, named, strict=True) for n in set(one.owner)]
    return OperatingPoint(asked, threshold, _share(outcomes, asked, named, seed), 100 * float(np.mean(each)))


def _share(
    outcomes: Sequence[HouseholdScores], asked: float, named: Sequence[NDArray[np.bool_]], seed: int
) -> PercentInterval:
    """Bootstrap the share named; the threshold is redrawn with the households, so its error is in the interval."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(_RESAMPLES):
        again = [outcomes[i] for i in random.integers(len(outcomes), size=len(outcomes))]
        limit = np.quantile(np.concatenate([one.strangers for one in again]), 1 - asked)
        found.append(np.concatenate([one.right & (one.family > limit) for one in again]).mean())
    low, high = np.quantile(found, (0.025, 0.975))
    return PercentInterval(*(100 * float(x) for x in (np.concatenate(named).mean(), low, high)))


@dataclass(frozen=True, slots=True)
class DecisionFigures:
    """What a rule that decides by itself reaches.

    The rate it was asked for (None if it has none), the rate of strangers let in (a share, not percent), and the share
    of the family named correctly and wrongly, in percent.
    """

    asked: float | None
    got: float
    strangers: int
    named: PercentInterval
    misnamed: float


def decision_figures(
    asked: float | None, family: Sequence[NDArray[np.int_]], strangers: Sequence[NDArray[np.bool_]], seed: int = 0
) -> DecisionFigures:
    """Sum up decisions of one rule.

    ``family``: for each household its faces' results, 1 correctly named, -1 wrongly, 0 not; ``strangers``: whether each
    was let in.
    """
    random = np.random.default_rng(seed)
    draws = random.integers(len(family), size=(_RESAMPLES, len(family)))
    right, count = (np.array([float(f(one)) for one in family]) for f in (lambda one: (one > 0).sum(), len))
    low, high = np.quantile(right[draws].sum(1) / count[draws].sum(1), (0.025, 0.975))
    named = PercentInterval(*(100 * float(x) for x in (right.sum() / count.sum(), low, high)))
    outside = np.concatenate(strangers)
    misnamed = 100 * float((np.concatenate(family) < 0).mean())
    return DecisionFigures(asked, float(outside.mean()), len(outside), named, misnamed)


def curve(outcomes: Sequence[HouseholdScores]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (strangers let in, family named), both in percent, over all thresholds."""
    strangers = np.concatenate([one.strangers for one in outcomes])
    asked = np.logspace(0, np.log10(max(10 / len(strangers), 1e-5)), 60)
    limits = np.quantile(strangers, 1 - asked)
    best = np.concatenate([np.where(one.right, one.family, -np.inf) for one in outcomes])
    return 100 * asked, np.array([100 * float((best > limit).mean()) for limit in limits])
