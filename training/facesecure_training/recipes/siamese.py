"""Trains a siamese network: pairs in, distances out; contrastive loss, validated on people left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.datasets.loading import batches_per_epoch, pair_batches
from facesecure_training.datasets.pairs import Pair
from facesecure_training.networks.contrastive import contrastive
from facesecure_training.networks.siamese import siamese
from facesecure_training.recipes.augment import augment, preset, with_brightening
from facesecure_training.recipes.data import dataset_counts, draw_pairs, verification_metrics
from facesecure_training.recipes.recipe import Goal
from facesecure_training.recipes.settings import SiameseSettings

_TRAINING, _VALIDATION = 0, 1  # in the seeds of pairs


class SiameseTraining:
    """A Recipe for any ``network`` from uint8 RGB (batch, side, side, 3) to embeddings; new pairs in each epoch."""

    goal = Goal("val_auc")

    def __init__(self, network: Any, folders: tuple[ClassFolder, ClassFolder], settings: SiameseSettings) -> None:
        """Create the recipe; ``folders`` are the training and the validation data."""
        self.network, self.trained = network, siamese(network)
        self.training_data, self.validation_data = folders
        self.settings = settings
        self.steps = batches_per_epoch(range(settings.pairs), settings.batch)
        self._validation_pairs = draw_pairs(
            self.validation_data, max(2, settings.pairs // 4), (settings.seed, _VALIDATION)
        )
        self.facts = dataset_counts(self.training_data, self.validation_data)
        trained = self.trained
        self._distances = tensorflow().function(lambda pairs: trained(pairs, training=False), reduce_retracing=True)

    def batches(self, epoch: int) -> Any:
        """Return the augmented pairs of ``epoch``."""
        pairs = draw_pairs(self.training_data, self.settings.pairs, (self.settings.seed, _TRAINING, epoch))
        wanted = with_brightening(augment(preset(self.settings.augment, self.settings.strength)))
        return self._dataset(pairs, augment=wanted, repeat=True, epoch=epoch).take(self.steps)

    def losses(self, batch: Any) -> Any:
        """Return the contrastive loss of each pair of ``batch``."""
        images, different = batch
        return contrastive(different, self.trained(images, training=True), self.settings.margin)

    def validate(self) -> dict[str, float]:
        """Return loss, area under the curve and accuracy on pairs of people left out."""
        found = [
            (self._distances(images), different)
            for images, different in self._dataset(self._validation_pairs, augment=with_brightening(None))
        ]
        losses = [contrastive(different, distances, self.settings.margin) for distances, different in found]
        distances, different = (np.concatenate([one.numpy() for one in part]) for part in zip(*found, strict=True))
        return {
            "val_loss": float(np.concatenate(losses).mean()),
            **verification_metrics(distances.astype(float), different),
        }

    def images(self) -> NDArray[np.uint8]:
        """Return the first pairs, uint8 RGB (2 * n, h, w, 3), the images of a pair next to each other."""
        (first, second), _ = next(iter(self.batches(0)))
        pairs = np.stack([first.numpy(), second.numpy()], axis=1)  # the images of a pair side by side
        return np.asarray(pairs.reshape(-1, *pairs.shape[2:]), np.uint8)

    def _dataset(self, pairs: list[Pair], **options: Any) -> Any:
        chosen = self.settings
        size = (chosen.size, chosen.size)
        return pair_batches(pairs, size=size, batch=chosen.batch, seed=chosen.seed, cache=chosen.cache, **options)
