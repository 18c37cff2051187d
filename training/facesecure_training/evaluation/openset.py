"""Open-set identification as a household meets it: are the family named, and how many strangers with them?

Each way of comparing gives every face a best name and a score. The threshold is set so that the asked share of all
strangers (different people, one photo each) passes; a face of the family counts when the name is right and the score
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
"""Scores (faces, people) of some observations against everybody in a household, higher is nearer."""


@dataclass(frozen=True, slots=True)
class PercentInterval:
    """A share in percent, with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """At ``asked`` strangers let in: the score that it takes, and the family ``named`` rightly.

    ``per_person`` gives everybody the same weight, however many photos there are of them.
    """

    asked: float
    threshold: float
    named: PercentInterval
    per_person: float


@dataclass(frozen=True, slots=True, eq=False)
class HouseholdScores:
    """One household's scores: of the family's faces the best score, whether its name is right, and whose face it is
    (a running number); of the strangers' the best score."""

    family: Scores
    right: NDArray[np.bool_]
    owner: NDArray[np.intp]
    strangers: Scores


def nearest_template(household: Household, observations: Sequence[FaceObservation]) -> Scores:
    """The nearest of each person's templates, made as enrolment makes them."""
    faces = _stack(observations)
    columns = [(faces @ _templates(some).T).max(1) for some in household.enrolled.values()]
    return np.asarray(np.stack(columns, 1), np.float32)


def _templates(enrolled: Sequence[FaceObservation]) -> Scores:
    return np.stack(
        [one.direction for one in templates_of(np.stack([observation.embedding for observation in enrolled]))]
    )


def nearest_picture(household: Household, observations: Sequence[FaceObservation]) -> Scores:
    """The nearest of each person's pictures, of the same embeddings."""
    faces = _stack(observations)
    columns = [(faces @ _stack(some).T).max(1) for some in household.enrolled.values()]
    return np.asarray(np.stack(columns, 1), np.float32)


def mean_by_distance(household: Household, observations: Sequence[FaceObservation]) -> Scores:
    """Less the distance to the mean of each person's pictures, for embeddings that are points, not directions."""
    faces = _stack(observations)
    means = [_stack(some).mean(0) for some in household.enrolled.values()]
    return np.asarray(np.stack([-np.linalg.norm(faces - mean, axis=1) for mean in means], 1), np.float32)


def nearest_by_distance(household: Household, observations: Sequence[FaceObservation]) -> Scores:
    """Less the distance to the nearest of each person's pictures."""
    faces = _stack(observations)
    known = [_stack(some) for some in household.enrolled.values()]
    columns = [-np.linalg.norm(faces[:, None] - some[None], axis=2).min(1) for some in known]
    return np.asarray(np.stack(columns, 1), np.float32)


def rates_of(outcomes: Sequence[HouseholdScores]) -> Rates:
    """ROC and all: no threshold accepts a face of the family that is nearest to another's name."""
    family = np.concatenate([np.where(one.right, one.family, -np.inf) for one in outcomes])
    return rates_by_threshold(family, np.concatenate([one.strangers for one in outcomes]))


def _stack(observations: Sequence[FaceObservation]) -> Scores:
    return np.stack([observation.embedding for observation in observations])


def compare(households: Iterable[Household], how: Compare) -> list[HouseholdScores]:
    return [_outcome(household, how) for household in households]


def _outcome(household: Household, how: Compare) -> HouseholdScores:
    sizes = [len(observations) for observations in household.probes.values()]
    owner = np.repeat(np.arange(len(sizes)), sizes)
    scores = how(household, [observation for observations in household.probes.values() for observation in observations])
    return HouseholdScores(scores.max(1), scores.argmax(1) == owner, owner, how(household, household.strangers).max(1))


def operating_points(
    outcomes: Sequence[HouseholdScores], asked: Sequence[float] = RATES, seed: int = 0
) -> list[OperatingPoint]:
    """What each rate of strangers let in costs."""
    return [_rate(outcomes, one, seed) for one in asked]


def _rate(outcomes: Sequence[HouseholdScores], asked: float, seed: int) -> OperatingPoint:
    threshold = float(np.quantile(np.concatenate([one.strangers for one in outcomes]), 1 - asked))
    named = [one.right & (one.family > threshold) for one in outcomes]
    each = [found[one.owner == n].mean() for one, found in zip(outcomes, named, strict=True) for n in set(one.owner)]
    return OperatingPoint(asked, threshold, _share(outcomes, asked, named, seed), 100 * float(np.mean(each)))


def _share(
    outcomes: Sequence[HouseholdScores], asked: float, named: Sequence[NDArray[np.bool_]], seed: int
) -> PercentInterval:
    """The threshold is drawn again with the households: its own doubt is part of the interval."""
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
    """A rule that decides by itself: the rate it was asked for (None if it has none), the rate of strangers it let in
    (in 1, not percent), and the share of the family named rightly and wrongly, in percent."""

    asked: float | None
    got: float
    strangers: int
    named: PercentInterval
    misnamed: float


def decision_figures(
    asked: float | None, family: Sequence[NDArray[np.int_]], strangers: Sequence[NDArray[np.bool_]], seed: int = 0
) -> DecisionFigures:
    """``family``: for each household its faces' outcomes, 1 rightly named, -1 wrongly, 0 not; ``strangers``: let in."""
    random = np.random.default_rng(seed)
    draws = random.integers(len(family), size=(_RESAMPLES, len(family)))
    right, count = (np.array([float(f(one)) for one in family]) for f in (lambda one: (one > 0).sum(), len))
    low, high = np.quantile(right[draws].sum(1) / count[draws].sum(1), (0.025, 0.975))
    named = PercentInterval(*(100 * float(x) for x in (right.sum() / count.sum(), low, high)))
    outside = np.concatenate(strangers)
    misnamed = 100 * float((np.concatenate(family) < 0).mean())
    return DecisionFigures(asked, float(outside.mean()), len(outside), named, misnamed)


def curve(outcomes: Sequence[HouseholdScores]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(strangers let in, family named), both in percent, over the thresholds between all and next to none let in."""
    strangers = np.concatenate([one.strangers for one in outcomes])
    asked = np.logspace(0, np.log10(max(10 / len(strangers), 1e-5)), 60)
    limits = np.quantile(strangers, 1 - asked)
    best = np.concatenate([np.where(one.right, one.family, -np.inf) for one in outcomes])
    return 100 * asked, np.array([100 * float((best > limit).mean()) for limit in limits])
