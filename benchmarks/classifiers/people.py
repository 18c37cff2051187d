"""Divide the people of LFW once: who chooses settings, who is learnt, who chooses thresholds, who is a stranger.

Every household has five people of its own, whose photos are divided; of all others, whole people are. Nobody who is
tested had a part in the search, and no stranger of the test is in anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facesecure.domain.errors import UsageError
from facesecure_training.datasets.splitting import divide

HOUSEHOLD = 5
LEAST_PHOTOS = 17
"""Photos that a person of a household has at least: 8 to learn, 5 to test. 37 people of lfw-dev have as many."""
GROUPS = {"search": 0.06, "others": 0.24, "validation-strangers": 0.3, "strangers": 0.4}
"""Shares of the photos of all people who are in no household."""


@dataclass(frozen=True, slots=True)
class Division:
    """Names of people: ``households`` of five each (one a seed), ``searching`` another household for the search.

    ``search_others`` and ``others`` are learnt as "unknown": for the search, and by the households;
    ``validation_strangers`` choose thresholds; ``strangers`` only test.
    """

    searching: tuple[str, ...]
    households: tuple[tuple[str, ...], ...]
    search_others: tuple[str, ...]
    others: tuple[str, ...]
    validation_strangers: tuple[str, ...]
    strangers: tuple[str, ...]


def divide_people(photos: Mapping[str, int], *, households: int = 5, least: int = LEAST_PHOTOS, seed: int) -> Division:
    """Return the division of the people in ``photos`` (photos of each). Raises UsageError if too few have enough."""
    able = sorted(name for name, count in photos.items() if count >= least)
    wanted = HOUSEHOLD * (households + 1)
    if len(able) < wanted:
        raise UsageError(
            f"{len(able)} people have {least} photos, and {households + 1} households need {wanted}",
            "ask for fewer households, or use a larger data set",
        )
    drawn = [able[index] for index in np.random.default_rng(seed).permutation(len(able))[:wanted]]
    several = [tuple(drawn[first : first + HOUSEHOLD]) for first in range(0, wanted, HOUSEHOLD)]
    rest = {name: count for name, count in photos.items() if name not in set(drawn)}
    groups = {group: shuffled(names, seed) for group, names in divide(rest, GROUPS, seed).items()}
    return Division(
        searching=several[0],
        households=tuple(several[1:]),
        search_others=groups["search"],
        others=groups["others"],
        validation_strangers=groups["validation-strangers"],
        strangers=groups["strangers"],
    )


def shuffled(names: Sequence[str], seed: int) -> tuple[str, ...]:
    """Return ``names`` in an order drawn by ``seed``."""
    return tuple(names[index] for index in np.random.default_rng(seed).permutation(len(names)))
