"""The training loop: steps under a GradientTape, validation after each epoch, and a state to resume from.

A run that was interrupted, by Ctrl-C or kill -9, and resumed ends with bit-identical weights: state.npz holds weights
and optimiser with the number of their step, and everything else depends on the seed and that number.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, Self

from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.common.progress import ProgressBar
from facesecure_training.recipes import checkpoint
from facesecure_training.recipes.checkpoint import TrainingProgress
from facesecure_training.recipes.hosts import take_over
from facesecure_training.recipes.training_log import TrainingLog, require_finite

SAVE_EVERY_S = 300.0
"""Seconds between saves within an epoch: what kill -9 can lose."""


class TrainingLoop:
    """Runs the training of the recipe of ``record``."""

    def __init__(self, record: TrainingLog, optimiser: Any, *, strategy: Any = None, eager: bool = False) -> None:
        """Create the loop; the recipe and ``optimiser`` were created under ``strategy``."""
        tf = tensorflow()
        self.record, self.recipe, self.optimiser = record, record.recipe, optimiser
        self.strategy = strategy or tf.distribute.get_strategy()
        with self.strategy.scope():
            optimiser.build(self.recipe.trained.trainable_variables)
        self.step = self._step if eager else tf.function(self._step, reduce_retracing=True)

    def resume(self) -> None:
        """Load state.npz; without one the run was interrupted before its first save, and starts over."""
        if self.record.folder.state.exists():
            self.record.progress = checkpoint.load(self.record.folder.state, self._variables())

    def take_over(self) -> None:
        """Continue where the first of several machines is: all call it at the same time."""
        self.record.progress = take_over(self.strategy, self._variables(), self.record.progress)

    def run(self) -> TrainingProgress:
        """Train to the end. Raises FacesecureError if it diverges, KeyboardInterrupt if interrupted."""
        steps, images = self.record.epochs * self.recipe.steps, self.record.images_a_step
        with Interruption() as interruption, ProgressBar(steps, "training", images=images) as bar:
            bar.reach(self._done)
            while not self.record.progress.finished:
                self._epoch(interruption, bar)
                self.record.add(self._row(), bar, self._save)
        return self.record.progress

    @property
    def _done(self) -> int:
        return self.record.progress.epoch * self.recipe.steps + self.record.progress.step

    def _epoch(self, interruption: Interruption, bar: ProgressBar) -> None:
        progress, saved = self.record.progress, time.monotonic()
        for batch in self._batches():
            progress.losses += self._checked(float(self.step(batch)))
            progress.step += 1
            bar.reach(self._done, self._description())
            if interruption.asked:
                self._save()
                raise KeyboardInterrupt
            if time.monotonic() - saved > SAVE_EVERY_S:
                self._save()
                saved = time.monotonic()

    def _batches(self) -> Iterator[Any]:
        """Return the rest of this epoch."""
        progress = self.record.progress
        left = self.recipe.batches(progress.epoch).skip(progress.step)
        if self._replicas > 1:
            left = self.strategy.experimental_distribute_dataset(left)
        return iter(left)

    def _row(self) -> checkpoint.EpochRow:
        progress = self.record.progress
        rate = float(checkpoint.numpy(self.optimiser.learning_rate))
        mean = progress.losses / self.recipe.steps
        return {"epoch": float(progress.epoch + 1), "loss": mean, "lr": rate, **self.recipe.validate()}

    def _step(self, batch: Any) -> Any:
        """Train on one batch, and return its mean loss before the step."""
        means = self.strategy.run(self._on_one, args=(batch,))
        return self.strategy.reduce("SUM", means, axis=None)

    def _on_one(self, batch: Any) -> Any:
        """Compute one replica's part of a step."""
        tf, trained = tensorflow(), self.recipe.trained
        with tf.GradientTape() as tape:
            mean = tf.reduce_mean(self.recipe.losses(batch))
            whole = (mean + sum(tf.cast(loss, mean.dtype) for loss in trained.losses)) / self._replicas
            scaled = self.optimiser.scale_loss(whole)
        gradients = tape.gradient(scaled, trained.trainable_variables)
        self.optimiser.apply_gradients(zip(gradients, trained.trainable_variables, strict=True))
        return mean / self._replicas

    @property
    def _replicas(self) -> int:
        return int(self.strategy.num_replicas_in_sync)

    def _checked(self, loss: float) -> float:
        progress = self.record.progress
        return require_finite("the loss", loss, f"epoch {progress.epoch + 1}, step {progress.step + 1}")

    def _description(self) -> str:
        progress, rate = self.record.progress, float(checkpoint.numpy(self.optimiser.learning_rate))
        place = f"epoch {progress.epoch + 1}/{self.record.epochs}"
        return f"{place}  loss {progress.losses / progress.step:.4f}  lr {rate:.2g}"

    def _save(self) -> None:
        checkpoint.save(self.record.folder.state, self._variables(), self.record.progress)

    def _variables(self) -> list[Any]:
        memory = getattr(self.recipe, "memory", ())
        return [*self.recipe.trained.variables, *self.optimiser.variables, *memory]


class Interruption:
    """While it is entered, the first signal only sets ``asked``; a second one interrupts at once."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's signature
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
