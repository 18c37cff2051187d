"""The pictures a training learns from, those it is validated on, and pairs drawn of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.datasets.pairs import Pair
from facesecure_training.datasets.people import SourcedImage, people_in
from facesecure_training.recipes.settings import TrainingSettings


def training_and_validation(settings: TrainingSettings) -> tuple[ClassFolder, ClassFolder]:
    """To learn from, and to validate on: ``--validation``, or ``--held-out`` of ``--data``, split as ``--split`` says.

    Raises UsageError without ``--data``, FacesecureError where it holds too little.
    """
    if settings.data is None:
        raise UsageError("--data is missing", "name the folder with a sub-folder of pictures for each class")
    everything = ClassFolder.read(settings.data)
    if settings.validation is not None:
        same = None if settings.split == "class" else everything.classes
        return everything, ClassFolder.read(settings.validation, same)
    fractions = {"train": 1 - settings.held_out, "validation": settings.held_out}
    found = everything.split(settings.seed, fractions, by=settings.split)
    return found["train"], found["validation"]


def dataset_counts(training: ClassFolder, validation: ClassFolder) -> dict[str, dict[str, int]]:
    """How many people and pictures there are of each, for config.json: a part of a split has a class for everybody."""
    folders = {"train": training, "validation": validation}
    return {
        "people": {part: sum(map(bool, folder.counts().values())) for part, folder in folders.items()},
        "pictures": {part: len(folder) for part, folder in folders.items()},
    }


def draw_pairs(folder: ClassFolder, count: int, seed: tuple[int, ...]) -> list[Pair]:
    """``count`` pairs by ``seed`` alone, one person's (0) and two people's (1) in turn.

    Every person is drawn as often as another, however many pictures there are of them; a pair may come twice. (In
    the lists that ``datasets.pairs`` makes, to measure by, none does, and there may be fewer than asked for.)
    Raises FacesecureError if nobody has two pictures, or there is one person only.
    """
    people = list(people_in(folder).values())
    several = [shots for shots in people if len(shots) > 1]
    if len(people) < 2 or not several:
        raise FacesecureError(
            f"no pairs can be made of {folder.root}", "it takes two people or more, one of them with two pictures"
        )
    chance = np.random.default_rng(seed)
    return [_two(people, chance) if number % 2 else _one(several, chance) for number in range(count)]


def _one(several: Sequence[Sequence[SourcedImage]], chance: np.random.Generator) -> Pair:
    """Two shots of one person; never of one video if there are pictures from elsewhere."""
    shots = several[int(chance.integers(len(several)))]
    first, second = (shots[int(index)] for index in chance.choice(len(shots), 2, replace=False))
    if not first.from_other_source_than(second):
        others = [shot for shot in shots if first.from_other_source_than(shot)] or [second]
        second = others[int(chance.integers(len(others)))]
    return Pair(first.path, second.path, 0)


def _two(people: Sequence[Sequence[SourcedImage]], chance: np.random.Generator) -> Pair:
    two = [people[int(index)] for index in chance.choice(len(people), 2, replace=False)]
    first, second = (shots[int(chance.integers(len(shots)))] for shots in two)
    return Pair(first.path, second.path, 1)


def verification_metrics(distances: NDArray[np.float64], different: NDArray[np.int64]) -> dict[str, float]:
    """How well distances tell pairs of one person (0) from those of two (1).

    ``val_auc``: how often two people's is the greater one. ``val_accuracy``: pairs right, of all, at the threshold that
    suits these pairs best, hence a little flattering.
    """
    same, other = np.sort(distances[different == 0]), distances[different == 1]
    below = np.searchsorted(same, other, "left") + np.searchsorted(same, other, "right")
    order = np.argsort(distances, kind="stable")
    right = np.cumsum(np.where(different[order] == 0, 1, -1)) + len(other)
    ends = np.append(np.diff(distances[order]) > 0, True)  # a threshold lies between two unequal distances
    best = max(int(right[ends].max()), len(other))
    return {"val_auc": float(below.mean() / 2 / len(same)), "val_accuracy": best / len(distances)}
