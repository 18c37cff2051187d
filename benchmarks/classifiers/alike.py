"""Strangers who look like a member: how many of them a household's network lets pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.classifiers.embedding import Vectors, mean_of
from benchmarks.classifiers.figures import RATES, Judged
from benchmarks.classifiers.plan import Budget, Unit
from benchmarks.classifiers.summary import rounded
from facesecure_training.evaluation.bootstrap import Tally, nested

ALIKE = 10
"""Strangers that count as look-alikes of one member."""
FEW = 20
"""Of so many strangers, no more than one does: among few people nobody need be alike."""


def most_alike(
    people: Mapping[str, Vectors], members: Sequence[str], strangers: Sequence[str], count: int = ALIKE
) -> set[str]:
    """Return for each of ``members`` the ``count`` strangers whose mean embedding is nearest."""
    others = np.stack([mean_of(people[name]) for name in strangers])
    found: set[str] = set()
    for member in members:
        nearest = np.argsort(-(others @ mean_of(people[member])))[: min(count, max(1, len(strangers) // FEW))]
        found |= {strangers[index] for index in nearest}
    return found


def passing(
    judged: Mapping[Unit, Judged], people: Mapping[str, Vectors], households: Sequence[Sequence[str]], budget: Budget
) -> dict[str, Any]:
    """Return by family the share of look-alikes' and of other strangers' photos that pass at the first of RATES."""
    most = max(budget.negatives)
    found: dict[str, Any] = {}
    for family in budget.families:
        units = [Unit(family, number, most) for number in range(len(households))]
        parts = [_divided(judged[unit], people, households[unit.household]) for unit in units]
        found[family] = {
            name: rounded(asdict(nested([part[place] for part in parts])))
            for place, name in enumerate(("alike", "others"))
        }
    return found


def _divided(one: Judged, people: Mapping[str, Vectors], members: Sequence[str]) -> tuple[Tally, Tally]:
    figures = one.figures()
    names, tally = figures.stranger_names, figures.strangers[RATES[0]]
    alike = most_alike(people, members, names)
    chosen = np.array([name in alike for name in names])
    return Tally(tally.right[chosen], tally.count[chosen]), Tally(tally.right[~chosen], tally.count[~chosen])
