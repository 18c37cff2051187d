"""Intervals over seeds and people: a bootstrap in two levels.

Photos of one person are alike, and so are the results of one training. To count photos as independent, as Wilson's
interval does, would promise too much. Here each replicate draws trainings with replacement, and within each of them the
people with replacement, with all their photos (Davison and Hinkley, "Bootstrap Methods and their Application", 1997,
section 3.8). Strangers are the same people in every training: one draw of them holds for the whole replicate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import UsageError
from facesecure_training.evaluation.rates import share

REPLICATES = 2000
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A share from 0 to 1 with the ends of its 95 % interval; ``trainings`` and ``people`` are what was drawn from."""

    value: float
    low: float
    high: float
    trainings: int
    people: int


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What one training got ``right`` of ``count`` photos of each person, both (people,)."""

    right: Counts
    count: Counts


def nested(tallies: Sequence[Tally], *, replicates: int = REPLICATES, seed: int = 0) -> Interval:
    """Return the share of photos that are right, where every training has people of its own.

    Raises UsageError without photos.
    """
    random = np.random.default_rng(seed)
    drawn = np.empty(replicates)
    for number in range(replicates):
        right = count = 0
        for chosen in random.integers(len(tallies), size=len(tallies)):
            tally = tallies[chosen]
            people = random.integers(len(tally.count), size=len(tally.count))
            right += int(tally.right[people].sum())
            count += int(tally.count[people].sum())
        drawn[number] = right / max(1, count)
    return _interval(tallies, drawn, sum(len(tally.count) for tally in tallies))


def crossed(tallies: Sequence[Tally], *, replicates: int = REPLICATES, seed: int = 0) -> Interval:
    """Return the share of photos that are right, where all trainings are tried on the same people.

    Raises UsageError without photos, or if the people differ in number.
    """
    if len({len(tally.count) for tally in tallies}) > 1:
        raise UsageError("the trainings were tried on different people", "use nested")
    random = np.random.default_rng(seed)
    right, count = (np.stack([getattr(tally, name) for tally in tallies]) for name in ("right", "count"))
    drawn = np.empty(replicates)
    for number in range(replicates):
        trainings = random.integers(len(tallies), size=len(tallies))
        times = np.bincount(random.integers(right.shape[1], size=right.shape[1]), minlength=right.shape[1])
        drawn[number] = (right[trainings] @ times).sum() / max(1, (count[trainings] @ times).sum())
    return _interval(tallies, drawn, right.shape[1])


def _interval(tallies: Sequence[Tally], drawn: NDArray[np.float64], people: int) -> Interval:
    right, count = (sum(int(getattr(tally, name).sum()) for tally in tallies) for name in ("right", "count"))
    if not count:
        raise UsageError("there are no photos to count", "add photos of the people that are measured")
    low, high = (float(value) for value in np.quantile(drawn, (0.025, 0.975)))
    if right in (0, count):  # all alike: no draw differs, and only the number of people bounds the share
        wilson = share(people if right else 0, people)
        low, high = wilson.low, wilson.high
    return Interval(right / count, min(low, right / count), max(high, right / count), len(tallies), people)


def paired(pairs: NDArray[np.int64], right: Counts, *, replicates: int = REPLICATES, seed: int = 0) -> Interval:
    """Return the share of ``right`` (n,) over ``pairs`` of people (n, 2), numbered from 0; each draw is of people.

    A pair counts as often as both of its people were drawn together. Raises UsageError without pairs.
    """
    if not len(pairs):
        raise UsageError("there are no pairs to count", "add people")
    people, places = np.unique(pairs, return_inverse=True)
    first, second = places.reshape(pairs.shape).T
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(replicates):
        times = np.bincount(random.integers(len(people), size=len(people)), minlength=len(people))
        weights = times[first] * times[second]
        if weights.sum():
            drawn.append(float((right * weights).sum() / weights.sum()))
    tally = Tally(np.array([int(right.sum())]), np.array([len(pairs)]))
    return _interval([tally], np.array(drawn), len(people))
