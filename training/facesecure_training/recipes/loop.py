"""The training loop: steps under a GradientTape, validation after each epoch, and a state to go on from.

A run that was cut off, by Ctrl-C or kill -9, and resumed ends with the same weights to the bit as one that was not:
state.npz holds weights and optimiser with the number of the step they belong to, and everything else follows from the
seed and that number.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

from facesecure.errors import FacesecureError
from facesecure_training.extras import tensorflow
from facesecure_training.progress import Bar
from facesecure_training.recipes import state
from facesecure_training.recipes.interruption import Interruption
from facesecure_training.recipes.recipe import Recipe
from facesecure_training.recipes.runfolder import Events, RunFolder
from facesecure_training.recipes.state import Progress, Row

SAVE_EVERY_S = 300.0
"""Within an epoch; what kill -9 can cost."""


class Loop:
    """One training of one recipe. ``after_epoch`` is told each line of the curves; it may raise to end it."""

    def __init__(
        self,
        recipe: Recipe,
        optimiser: Any,
        folder: RunFolder,
        *,
        epochs: int,
        patience: int = 0,
        strategy: Any = None,
        eager: bool = False,
        after_epoch: Callable[[Row], None] = lambda row: None,  # noqa: ARG005
    ) -> None:
        """``recipe`` and ``optimiser`` were made under ``strategy``."""
        tf = tensorflow()
        self.recipe, self.optimiser, self.folder = recipe, optimiser, folder
        self.epochs, self.patience, self.after_epoch = epochs, patience, after_epoch
        self.strategy = strategy or tf.distribute.get_strategy()
        with self.strategy.scope():
            optimiser.build(recipe.trained.trainable_variables)
        self.step = self._step if eager else tf.function(self._step, reduce_retracing=True)
        self.progress = Progress()

    def resume(self) -> None:
        """Takes up what state.npz holds; without one the run was cut off before its first step, and begins."""
        if self.folder.state.exists():
            self.progress = state.load(self.folder.state, self._variables())

    def run(self) -> Progress:
        """Trains to the end. Raises FacesecureError on a loss that is no number, KeyboardInterrupt if asked to."""
        events = Events(self.folder.events)
        try:
            with Interruption() as interruption, Bar(self.epochs * self.recipe.steps, "training") as bar:
                bar.reach(self.progress.epoch * self.recipe.steps + self.progress.step)
                while not self.progress.finished:
                    self._epoch(interruption, bar)
                    self._end_epoch(events, bar)
        finally:
            events.close()
        return self.progress

    def _epoch(self, interruption: Interruption, bar: Bar) -> None:
        progress, saved = self.progress, time.monotonic()
        for batch in self._batches():
            progress.losses += self._checked(float(self.step(batch)))
            progress.step += 1
            bar.reach(progress.epoch * self.recipe.steps + progress.step, self._said())
            if interruption.asked:
                self._save()
                raise KeyboardInterrupt
            if time.monotonic() - saved > SAVE_EVERY_S:
                self._save()
                saved = time.monotonic()

    def _batches(self) -> Iterator[Any]:
        """What is left of this epoch."""
        progress = self.progress
        left = self.recipe.batches(progress.epoch).skip(progress.step).take(self.recipe.steps - progress.step)
        if self.strategy.num_replicas_in_sync > 1:
            left = self.strategy.experimental_distribute_dataset(left)
        return iter(left)

    def _step(self, batch: Any) -> Any:
        """The mean loss over the batch, before the step."""
        strategy = self.strategy
        means = strategy.run(self._on_one, args=(batch,))
        return strategy.reduce("SUM", means, axis=None)

    def _on_one(self, batch: Any) -> Any:
        """One replica's part of a step."""
        tf, trained = tensorflow(), self.recipe.trained
        with tf.GradientTape() as tape:
            losses = tf.reduce_mean(self.recipe.losses(batch))
            whole = (losses + sum(tf.cast(loss, losses.dtype) for loss in trained.losses)) / self._replicas
            scaled = self.optimiser.scale_loss(whole)
        gradients = tape.gradient(scaled, trained.trainable_variables)
        self.optimiser.apply_gradients(zip(gradients, trained.trainable_variables, strict=True))
        return losses / self._replicas

    @property
    def _replicas(self) -> int:
        return int(self.strategy.num_replicas_in_sync)

    def _checked(self, loss: float) -> float:
        if not math.isfinite(loss):
            place = f"epoch {self.progress.epoch + 1}, step {self.progress.step + 1}"
            raise FacesecureError(
                f"the loss is {loss} at {place}: the training has come apart",
                "take a lower --lr; if that does not help, look at batch.png for pictures that are none",
            )
        return loss

    def _said(self) -> str:
        progress = self.progress
        rate = float(self.optimiser.learning_rate)
        return f"epoch {progress.epoch + 1}/{self.epochs}  loss {progress.losses / progress.step:.4f}  lr {rate:.2g}"

    def _end_epoch(self, events: Events, bar: Bar) -> None:
        """Validate, keep the best, decide whether to go on, and only then write that it is done."""
        progress = self.progress
        row = {"epoch": float(progress.epoch + 1), "loss": progress.losses / self.recipe.steps,
               "lr": float(self.optimiser.learning_rate), **self.recipe.validate()}  # fmt: skip
        progress.epoch, progress.step, progress.losses = progress.epoch + 1, 0, 0.0
        progress.history.append(row)
        self._judge(row)
        self._save()
        self.folder.draw(progress.history)
        events.numbers(row, progress.epoch)
        bar.say("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
        self.after_epoch(row)

    def _judge(self, row: Row) -> None:
        progress, goal = self.progress, self.recipe.goal
        best = progress.history[progress.best_epoch - 1] if progress.best_epoch else None
        if best is None or goal.score(row) > goal.score(best):
            progress.best, progress.best_epoch = row[goal.name], progress.epoch
            self.folder.keep(self.recipe.network)
        if progress.epoch >= self.epochs:
            progress.finished = "as many epochs as asked for"
        elif self.patience and progress.epoch - progress.best_epoch >= self.patience:
            progress.finished = f"no progress in {self.patience} epochs"

    def _save(self) -> None:
        state.save(self.folder.state, self._variables(), self.progress)

    def _variables(self) -> list[Any]:
        return [*self.recipe.trained.variables, *self.optimiser.variables]
