"""The interface between a kind of training and the training loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from facesecure_training.datasets.folders import ClassFolder


@dataclass(frozen=True, slots=True)
class Goal:
    """The validation figure that decides which epoch was best."""

    name: str
    higher: bool = True

    def score(self, row: dict[str, float]) -> tuple[float, float]:
        """Return a sortable score of an epoch; greater is better.

        The lower loss decides between equal epochs, which are frequent on few images.
        """
        value = row[self.name] if self.higher else -row[self.name]
        return value if np.isfinite(value) else -np.inf, -row.get("val_loss", 0.0)


class Recipe(Protocol):
    """One way to train one network.

    A recipe that draws on earlier epochs has an attribute ``memory``: the variables that a resumed run needs beside
    those of ``trained``.
    """

    @property
    def network(self) -> Any:
        """The keras.Model that the daemon will run."""

    trained: Any
    """The keras.Model with every trained weight: ``network``, and what only training needs."""

    @property
    def training_data(self) -> ClassFolder:
        """The images it is trained on."""

    @property
    def validation_data(self) -> ClassFolder:
        """The images it is validated on."""

    @property
    def goal(self) -> Goal:
        """The validation figure that counts."""

    @property
    def steps(self) -> int:
        """Batches in an epoch."""

    @property
    def facts(self) -> dict[str, Any]:
        """What config.json records about the data: classes, sizes."""

    def batches(self, epoch: int) -> Any:
        """Return a tf.data.Dataset of the ``steps`` batches of ``epoch``; the same in every run with a seed."""

    def losses(self, batch: Any) -> Any:
        """Return the training loss of each example of ``batch``, (n,) float32. The call may be traced."""

    def validate(self) -> dict[str, float]:
        """Return figures on the validation data; ``goal.name`` is one of them, and all begin with val_."""

    def images(self) -> NDArray[np.uint8]:
        """Return the first batch as the network sees it, uint8 RGB (n, h, w, 3)."""
