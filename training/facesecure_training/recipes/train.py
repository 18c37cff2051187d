"""One training from its settings to its best network, for the commands and the search."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from facesecure.domain.errors import UsageError
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.datasets.corrupt_files import naming_unreadable
from facesecure_training.recipes import devices
from facesecure_training.recipes.checkpoint import EpochRow, TrainingProgress
from facesecure_training.recipes.head import HeadTraining, fit_head
from facesecure_training.recipes.hosts import TrainingHosts, naming_lost_hosts
from facesecure_training.recipes.loop import TrainingLoop
from facesecure_training.recipes.optimizers.schedules import Cycle, constant, one_cycle, triangular
from facesecure_training.recipes.recipe import Recipe
from facesecure_training.recipes.registry import KINDS
from facesecure_training.recipes.replicas import in_parts
from facesecure_training.recipes.run_folder import RunFolder, TensorBoardEvents, image_sheet
from facesecure_training.recipes.run_images import described, refuse_changed
from facesecure_training.recipes.settings import TrainingSettings
from facesecure_training.recipes.training_log import TrainingLog, ignore_row

log = logging.getLogger(__name__)
_IMAGES = {"siamese-densenet": 2}
"""Images that an example of a batch has, where it is not one."""


def train(
    kind: str,
    settings: TrainingSettings,
    folder: RunFolder,
    *,
    resume: bool = False,
    hosts: TrainingHosts | None = None,
    after_epoch: Callable[[EpochRow], None] = ignore_row,
) -> TrainingProgress:
    """Train to the end, with all files in ``folder``; with ``hosts`` together with other machines.

    ``settings`` of a resumed run are those it began with. Raises FacesecureError, as TrainingLoop does; UsageError if
    ``folder`` holds a run and ``resume`` is false, or if the images of a resumed run changed; ImageError, with their
    names, if images cannot be read.
    """
    strategy = devices.prepare(settings, hosts)
    log.info("training %s on %s", kind, devices.describe(settings))
    with strategy.scope():
        recipe = KINDS[kind].recipe(settings)
        adam = optimiser(settings, recipe.steps)
    with naming_unreadable(recipe.training_data.files, recipe.validation_data.files):
        if resume:
            refuse_changed(folder.read_config(), recipe)
        else:
            _begin(kind, settings, folder, recipe)
        with TrainingLog(
            recipe,
            folder,
            epochs=settings.epochs,
            patience=settings.patience,
            after_epoch=after_epoch,
            images_a_step=settings.batch * _IMAGES.get(kind, 1),
        ) as record:
            if isinstance(recipe, HeadTraining):
                _refuse(hosts)
                return fit_head(record, adam, eager=settings.eager)
            in_parts(recipe, settings.replicas)
            loop = TrainingLoop(record, adam, strategy=strategy, eager=settings.eager)
            if resume:
                loop.resume()
            if hosts is None:
                return loop.run()
            with naming_lost_hosts():
                loop.take_over()
                return loop.run()


def _refuse(hosts: TrainingHosts | None) -> None:
    if hosts is not None:
        raise UsageError("a head is trained in seconds, by one machine", "leave out --strategy, or train --kind cnn")


def _begin(kind: str, settings: TrainingSettings, folder: RunFolder, recipe: Recipe) -> None:
    folder.refuse_if_used()
    images = recipe.images()
    folder.begin(kind, settings, described(recipe))
    folder.save_batch(images)
    events = TensorBoardEvents(folder.events)
    events.picture("batch", image_sheet(images))
    events.close()


def cycle(settings: TrainingSettings, steps: int) -> Cycle:
    """Return learning rate and beta1 over a training with ``steps`` steps per epoch."""
    if settings.schedule == "one-cycle":
        return one_cycle(settings.epochs * steps, settings.lr)
    if settings.schedule == "triangular":
        return triangular(settings.epochs * steps, settings.lr, cycle=max(2, settings.cycle * steps))
    return constant(settings.lr)


def optimiser(settings: TrainingSettings, steps: int) -> Any:
    """Return Adam following ``cycle``, with loss scaling if the network computes in float16."""
    from facesecure_training.recipes.optimizers.cycled_adam import CycledAdam

    keras = tensorflow().keras
    decay = settings.weight_decay or None
    adam = CycledAdam.following(cycle(settings, steps), weight_decay=decay)
    if keras.config.dtype_policy().name == "mixed_float16":
        return keras.mixed_precision.LossScaleOptimizer(adam)
    return adam
