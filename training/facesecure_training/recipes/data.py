"""Training and validation data, and pairs drawn from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import FacesecureError, UsageError
from facesecure_training.common.photos import class_name
from facesecure_training.datasets.catalogue import SourcedImage
from facesecure_training.datasets.crop_kind import aligned, extraction_of, require_aligned_size
from facesecure_training.datasets.folders import ClassFolder, class_folders
from facesecure_training.datasets.pairs import Pair
from facesecure_training.datasets.people import people_in
from facesecure_training.recipes.settings import TrainingSettings

LEAST_IMAGES = 4
"""Of a class whose images are divided: some to learn, and one at least to validate."""


def training_and_validation(settings: TrainingSettings) -> tuple[ClassFolder, ClassFolder]:
    """Return training and validation data.

    Validation data is ``--validation``, or ``--held-out`` of ``--data``, split as ``--split`` says. Raises UsageError
    without ``--data``, FacesecureError if it holds too few images.
    """
    if settings.data is None:
        raise UsageError("--data is missing", "name the folder with a sub-folder of images for each class")
    everything = ClassFolder.read(settings.data)
    require_people(everything, 1 if settings.split == "class" else LEAST_IMAGES)
    if settings.validation is not None:
        same = None if settings.split == "class" else everything.classes
        return everything, ClassFolder.read(settings.validation, same)
    fractions = {"train": 1 - settings.held_out, "validation": settings.held_out}
    found = everything.split(settings.seed, fractions, by=settings.split)
    return found["train"], found["validation"]


def classifier_data(settings: TrainingSettings) -> tuple[ClassFolder, ClassFolder]:
    """Return ``training_and_validation`` for a classifier.

    Raises UsageError also for aligned faces in a size in which the daemon has none: it would refuse the classifier.
    """
    folders = training_and_validation(settings)
    if aligned(extraction_of(folders[0].root)):
        require_aligned_size(settings.size)
    return folders


def require_people(folder: ClassFolder, least: int) -> None:
    """Raise UsageError for a class with fewer than ``least`` images, and for fewer than two classes."""
    empty = [path.name for path in class_folders(folder.root) if class_name(path.name) not in folder.classes]
    if empty:
        raise UsageError(f"{folder.root} has no images of {', '.join(empty)}", "add some, or remove the folder")
    if len(folder.classes) < 2:
        raise UsageError(
            f"{folder.root} has images of {folder.classes[0]} only",
            "add a folder of at least one other person, or of many as unknown",
        )
    few = [f"{name} ({count})" for name, count in folder.counts().items() if count < least]
    if few:
        raise UsageError(
            f"{folder.root} has too few images of {', '.join(few[:3])}",
            f"give each class {least} or more, better twenty",
        )


def dataset_counts(training: ClassFolder, validation: ClassFolder) -> dict[str, dict[str, int]]:
    """Return the numbers of people and images for config.json; a class without images counts as no person."""
    folders = {"train": training, "validation": validation}
    return {
        "people": {part: sum(map(bool, folder.counts().values())) for part, folder in folders.items()},
        "pictures": {part: len(folder) for part, folder in folders.items()},
    }


def draw_pairs(folder: ClassFolder, count: int, seed: tuple[int, ...]) -> list[Pair]:
    """Return ``count`` pairs that depend on ``seed`` alone, of the same person (0) and of two people (1) in turn.

    Every person is drawn with equal chance, however many images they have; a pair may repeat. (The lists that
    ``datasets.pairs`` makes, for measuring, have no repeats, and may be shorter than asked for.) Raises FacesecureError
    if no person has two images, or there is only one person.
    """
    people = list(people_in(folder).values())
    several = [shots for shots in people if len(shots) > 1]
    if len(people) < 2 or not several:
        raise FacesecureError(
            f"no pairs can be made from {folder.root}", "at least two people are needed, one of them with two images"
        )
    chance = np.random.default_rng(seed)
    return [_two(people, chance) if number % 2 else _one(several, chance) for number in range(count)]


def _one(several: Sequence[Sequence[SourcedImage]], chance: np.random.Generator) -> Pair:
    """Return two images of one person; of one video only if there are no images from elsewhere."""
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
    """Return how well distances separate pairs of one person (0) from those of two (1).

    ``val_auc``: the chance that two people's distance is the greater one. ``val_accuracy``: the share of pairs right at
    the threshold that suits these pairs best, hence slightly optimistic. Both are NaN if a distance is.
    """
    if not np.isfinite(distances).all():  # sorted, they would pass for the greatest distances
        return {"val_auc": float("nan"), "val_accuracy": float("nan")}
    same, other = np.sort(distances[different == 0]), distances[different == 1]
    below = np.searchsorted(same, other, "left") + np.searchsorted(same, other, "right")
    order = np.argsort(distances, kind="stable")
    right = np.cumsum(np.where(different[order] == 0, 1, -1)) + len(other)
    ends = np.append(np.diff(distances[order]) > 0, True)  # a threshold lies between two unequal distances
    best = max(int(right[ends].max()), len(other))
    return {"val_auc": float(below.mean() / 2 / len(same)), "val_accuracy": best / len(distances)}
