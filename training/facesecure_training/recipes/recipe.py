"""What differs between trainings, and what the loop may count on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from facesecure_training.datasets.folders import ClassFolder


@dataclass(frozen=True, slots=True)
class Goal:
    """The figure of validation that tells which epoch was best."""

    name: str
    higher: bool = True

    def score(self, row: dict[str, float]) -> tuple[float, float]:
        """Greater is better. Where two epochs are level, as on few pictures they often are, the lower loss decides."""
        value = row[self.name] if self.higher else -row[self.name]
        return value if np.isfinite(value) else -np.inf, -row.get("val_loss", 0.0)


class Recipe(Protocol):
    """One way to teach one network."""

    @property
    def network(self) -> Any:
        """The keras.Model that the daemon is to run."""

    @property
    def trained(self) -> Any:
        """The keras.Model with every weight that moves: ``network``, and what only training needs."""

    @property
    def training_data(self) -> ClassFolder:
        """What it learns from."""

    @property
    def validation_data(self) -> ClassFolder:
        """What it is validated on."""

    @property
    def goal(self) -> Goal: ...

    @property
    def steps(self) -> int:
        """Batches in an epoch."""

    @property
    def facts(self) -> dict[str, Any]:
        """What config.json should tell of the data: classes, sizes."""

    def batches(self, epoch: int) -> Any:
        """tf.data.Dataset of the ``steps`` batches of ``epoch``; the same in every run of a seed."""

    def losses(self, batch: Any) -> Any:
        """Loss of each example of ``batch``, (n,) float32, in training. It may be traced."""

    def validate(self) -> dict[str, float]:
        """Figures on pictures that were not learnt from; ``goal.name`` is among them, all begin with val_."""

    def pictures(self) -> NDArray[np.uint8]:
        """The first batch as the network sees it, uint8 RGB (n, h, w, 3)."""
