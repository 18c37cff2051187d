"""Draws households and strangers from people with photos; the same seed draws the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facesecure.domain.errors import UsageError
from facesecure_training.evaluation.observations import FaceObservation, FaceObservations

LEAST_PROBES = 3
"""Photos that each person of a household has at least, besides those enrolled."""

People = Mapping[str, Sequence[FaceObservation]]


@dataclass(frozen=True, slots=True)
class DrawSettings:
    """How households are drawn. ``probes`` limits the photos tried of one person; None: all that are left."""

    households: int = 200
    people: int = 4
    pictures: int = 5
    strangers: int = 1000
    probes: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Household:
    """``enrolled`` and ``probes`` by name, and one observation each of different ``strangers``."""

    enrolled: Mapping[str, Sequence[FaceObservation]]
    probes: Mapping[str, Sequence[FaceObservation]]
    strangers: Sequence[FaceObservation]


def observations_by_person(
    photos: Mapping[str, Sequence[Path]], observations: FaceObservations
) -> dict[str, list[FaceObservation]]:
    """Return each person's observations; people without any are left out."""
    found = {
        name: [observation for photo in some if (observation := observations.get(photo)) is not None]
        for name, some in photos.items()
    }
    return {name: some for name, some in found.items() if some}


def draw_households(people: People, how: DrawSettings) -> Iterator[Household]:
    """Yield ``how.households`` households. Raises UsageError if too few people have enough photos."""
    able = [name for name, observations in people.items() if len(observations) >= how.pictures + LEAST_PROBES]
    if len(able) < 2 * how.people or len(people) < how.people + 10:
        raise UsageError(
            f"{len(able)} people with {how.pictures + LEAST_PROBES} photos, and {len(people)} in all, are too few",
            f"households of {how.people} need twice that many such people, and ten others; try fewer --pictures",
        )
    random = np.random.default_rng(how.seed)
    for _ in range(how.households):
        yield _household(people, able, how, random)


def _household(people: People, able: Sequence[str], how: DrawSettings, random: np.random.Generator) -> Household:
    family = [str(name) for name in random.choice(able, how.people, replace=False)]
    mixed = {name: [people[name][i] for i in random.permutation(len(people[name]))] for name in family}
    others = [name for name in people if name not in mixed]
    strangers = [str(name) for name in random.permutation(others)[: how.strangers]]
    last = None if how.probes is None else how.pictures + how.probes
    return Household(
        {name: observations[: how.pictures] for name, observations in mixed.items()},
        {name: observations[how.pictures : last] for name, observations in mixed.items()},
        [people[name][int(random.integers(len(people[name])))] for name in strangers],
    )
