"""What each epoch came to: the lines of the curves, which was best, and whether to go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from facesecure_training.common.progress import Bar
from facesecure_training.recipes.checkpoint import Progress, Row
from facesecure_training.recipes.recipe import Recipe
from facesecure_training.recipes.run_folder import Events, RunFolder


def nothing(row: Row) -> None:
    """For whoever does not want to be told."""


class TrainingLog:
    """Keeps the best network in ``folder`` and the curves beside it. ``after_epoch`` may raise to end the training."""

    def __init__(
        self,
        recipe: Recipe,
        folder: RunFolder,
        *,
        epochs: int,
        patience: int = 0,
        after_epoch: Callable[[Row], None] = nothing,
    ) -> None:
        self.recipe, self.folder, self.epochs = recipe, folder, epochs
        self._patience, self._after_epoch = patience, after_epoch
        self.progress = Progress()
        self._events = Events(folder.events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._events.close()

    def add(self, row: Row, bar: Bar, save: Callable[[], None] = lambda: None) -> None:
        """An epoch is over; ``save`` writes the state, once the best network is safe and before anybody is told."""
        progress = self.progress
        progress.epoch, progress.step, progress.losses = progress.epoch + 1, 0, 0.0
        progress.history.append(row)
        self._judge(row)
        save()
        self.folder.draw(progress.history)
        self._events.numbers(row, progress.epoch)
        bar.say("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
        self._after_epoch(row)

    def _judge(self, row: Row) -> None:
        progress, goal = self.progress, self.recipe.goal
        best = progress.history[progress.best_epoch - 1] if progress.best_epoch else None
        if best is None or goal.score(row) > goal.score(best):
            progress.best, progress.best_epoch = row[goal.name], progress.epoch
            self.folder.keep(self.recipe.network)
        if progress.epoch >= self.epochs:
            progress.finished = "as many epochs as asked for"
        elif self._patience and progress.epoch - progress.best_epoch >= self._patience:
            progress.finished = f"no progress in {self._patience} epochs"
