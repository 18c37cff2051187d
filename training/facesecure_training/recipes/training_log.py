"""The figures of each epoch: the curves, which epoch was best, and whether to continue."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Self

from facesecure.domain.errors import FacesecureError
from facesecure_training.common.progress import ProgressBar
from facesecure_training.recipes.checkpoint import EpochRow, TrainingProgress
from facesecure_training.recipes.recipe import Recipe
from facesecure_training.recipes.run_folder import RunFolder, TensorBoardEvents


def ignore_row(row: EpochRow) -> None:
    """Do nothing with an epoch's figures: the default for ``after_epoch``."""


def require_finite(name: str, value: float, where: str) -> float:
    """Return ``value``, the figure ``name``. Raises FacesecureError if it is infinite or no number."""
    if not math.isfinite(value):
        raise FacesecureError(
            f"{name} is {value} at {where}: the training diverged",
            "use a lower --lr; if that does not help, check batch.png for broken images",
        )
    return value


class TrainingLog:
    """Keeps the best network in ``folder`` and the curves beside it. ``after_epoch`` may raise to end the training."""

    def __init__(
        self,
        recipe: Recipe,
        folder: RunFolder,
        *,
        epochs: int,
        patience: int = 0,
        after_epoch: Callable[[EpochRow], None] = ignore_row,
        images_a_step: int = 0,
    ) -> None:
        self.recipe, self.folder, self.epochs, self.images_a_step = recipe, folder, epochs, images_a_step
        self._patience, self._after_epoch = patience, after_epoch
        self.progress = TrainingProgress()
        self._events = TensorBoardEvents(folder.events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._events.close()

    def add(self, row: EpochRow, bar: ProgressBar, save: Callable[[], None] = lambda: None) -> None:
        """Record a finished epoch.

        ``save`` writes the state, after the best network is stored and before ``after_epoch`` is called. Raises
        FacesecureError, and keeps nothing, if a figure is not finite: the last step of an epoch may be the one that
        spoils the weights, and then only the validation shows it.
        """
        progress = self.progress
        for name, value in row.items():
            require_finite(name, value, f"epoch {progress.epoch + 1}")
        progress.epoch, progress.step, progress.losses = progress.epoch + 1, 0, 0.0
        progress.history.append(row)
        self._rate(row)
        save()
        self.folder.save_curves(progress.history)
        self._events.numbers(row, progress.epoch)
        bar.say("  ".join([*(f"{name} {value:.4g}" for name, value in row.items()), bar.pace()]))
        self._after_epoch(row)

    def _rate(self, row: EpochRow) -> None:
        progress, goal = self.progress, self.recipe.goal
        best = progress.history[progress.best_epoch - 1] if progress.best_epoch else None
        if best is None or goal.score(row) > goal.score(best):
            progress.best, progress.best_epoch = row[goal.name], progress.epoch
            self.folder.save_best(self.recipe.network)
        if progress.epoch >= self.epochs:
            progress.finished = "all epochs done"
        elif self._patience and progress.epoch - progress.best_epoch >= self._patience:
            progress.finished = f"no progress in {self._patience} epochs"
