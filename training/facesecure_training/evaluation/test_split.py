"""The faces that a classifier is measured on, with its outputs, and the folders they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import UsageError
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.evaluation.predictors import Network, Outputs

_HALVES = {"validation": 0.5, "test": 0.5}


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFaces:
    """Crops by file, with the network's ``outputs`` on them.

    ``labels`` are indices into the network's labels, -1 for a stranger; ``groups`` say which belong together: one
    video, or one stranger.
    """

    files: Sequence[Path]
    outputs: Outputs
    labels: NDArray[np.int_]
    groups: Sequence[str]

    @classmethod
    def of(cls, network: Network, folder: ClassFolder) -> LabelledFaces:
        """Return the faces of people that ``network`` has a class for."""
        labels = np.array([network.labels.index(folder.classes[label]) for label in folder.labels])
        return cls(folder.files, network.predict_files(folder.files, "faces"), labels, folder.sources)

    @classmethod
    def of_strangers(cls, network: Network, folder: ClassFolder) -> LabelledFaces:
        """Return the faces of people it was not trained on, one class each."""
        names = [folder.classes[label] for label in folder.labels]
        return cls(folder.files, network.predict_files(folder.files, "strangers"), np.full(len(names), -1), names)

    def only(self, chosen: NDArray[np.bool_]) -> LabelledFaces:
        """Return the faces where ``chosen`` is true."""
        where = [int(i) for i in np.flatnonzero(chosen)]
        files, groups = [self.files[i] for i in where], [self.groups[i] for i in where]
        return LabelledFaces(files, self.outputs[where], self.labels[where], groups)

    def some(self, most: int, seed: int) -> LabelledFaces:
        """Return at most ``most`` of the faces, drawn by ``seed``."""
        chosen = np.zeros(len(self.labels), np.bool_)
        chosen[np.random.default_rng(seed).permutation(len(chosen))[:most]] = True
        return self.only(chosen)

    def grouped(self) -> list[Outputs]:
        """Return the outputs of each group."""
        members: dict[str, list[int]] = {}
        for index, group in enumerate(self.groups):
            members.setdefault(group, []).append(index)
        return [self.outputs[some] for some in members.values()]


@dataclass(frozen=True, slots=True)
class EvaluationSets:
    """Folders of crops, with a sub-folder for each class, or for each person among strangers.

    Without ``validation``, half of each, by video and by person, is used to choose the threshold.
    """

    data: Path
    strangers: Path
    validation: Path | None = None
    validation_strangers: Path | None = None
    seed: int = 0

    def known(self, network: Network) -> tuple[LabelledFaces, LabelledFaces]:
        """Return (faces to choose the threshold on, faces to measure on) of people in the classes.

        Raises UsageError for other people.
        """
        data = _folder(network, self.data)
        if self.validation is not None:
            chooses, tests = _folder(network, self.validation), data
        else:
            parts = data.split(self.seed, _HALVES, by="source")
            chooses, tests = parts["validation"], parts["test"]
        return LabelledFaces.of(network, chooses), LabelledFaces.of(network, tests)

    def unknown(self, network: Network) -> tuple[LabelledFaces, LabelledFaces]:
        """Return the same of strangers. Raises UsageError if a person is in both."""
        strangers = ClassFolder.read(self.strangers)
        if self.validation_strangers is not None:
            chooses, tests = ClassFolder.read(self.validation_strangers), strangers
            both = set(chooses.classes) & set(tests.classes)
            if both:
                raise UsageError(f"{min(both)} is in both sets of strangers", "separate them by person, not by image")
        else:
            parts = strangers.split(self.seed, _HALVES, by="class")
            chooses, tests = parts["validation"], parts["test"]
        return LabelledFaces.of_strangers(network, chooses), LabelledFaces.of_strangers(network, tests)

    @property
    def chosen_on(self) -> str:
        """The validation folders, for the card."""
        return f"{self.validation or self.data}, {self.validation_strangers or self.strangers}"


def _folder(network: Network, path: Path) -> ClassFolder:
    found = ClassFolder.read(path)
    strange = [name for name in found.classes if name not in network.labels]
    if strange:
        raise UsageError(
            f"{path} has folders that are not classes of {network.name}: {', '.join(strange[:5])}",
            f"its classes are {', '.join(network.labels)}; people it does not know belong in --strangers",
        )
    return found
