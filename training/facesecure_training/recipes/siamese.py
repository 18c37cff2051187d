"""Teaches a siamese network: pairs in, distances out; contrastive loss, judged on people it never learnt from."""

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

_LEARNT, _UNSEEN = 0, 1  # in the seeds of pairs


class SiameseTraining:
    """A Recipe for any ``network`` of uint8 RGB (batch, side, side, 3) to embeddings. Each epoch has its own pairs."""

    goal = Goal("val_auc")

    def __init__(self, network: Any, folders: tuple[ClassFolder, ClassFolder], settings: SiameseSettings) -> None:
        """``folders`` to learn from, and to validate on."""
        self.network, self.trained = network, siamese(network)
        self.training_data, self.validation_data = folders
        self.settings = settings
        self.steps = batches_per_epoch(range(settings.pairs), settings.batch)
        self._asked = draw_pairs(self.validation_data, max(2, settings.pairs // 4), (settings.seed, _UNSEEN))
        self.facts = dataset_counts(self.training_data, self.validation_data)
        trained = self.trained
        self._distances = tensorflow().function(lambda pairs: trained(pairs, training=False), reduce_retracing=True)

    def batches(self, epoch: int) -> Any:
        pairs = draw_pairs(self.training_data, self.settings.pairs, (self.settings.seed, _LEARNT, epoch))
        wanted = with_brightening(augment(preset(self.settings.augment, self.settings.strength)))
        return self._dataset(pairs, augment=wanted, repeat=True, epoch=epoch).take(self.steps)

    def losses(self, batch: Any) -> Any:
        pictures, different = batch
        return contrastive(different, self.trained(pictures, training=True), self.settings.margin)

    def validate(self) -> dict[str, float]:
        found = [
            (self._distances(pictures), different)
            for pictures, different in self._dataset(self._asked, augment=with_brightening(None))
        ]
        losses = [contrastive(different, distances, self.settings.margin) for distances, different in found]
        distances, different = (np.concatenate([one.numpy() for one in part]) for part in zip(*found, strict=True))
        return {
            "val_loss": float(np.concatenate(losses).mean()),
            **verification_metrics(distances.astype(float), different),
        }

    def pictures(self) -> NDArray[np.uint8]:
        (first, second), _ = next(iter(self.batches(0)))
        pairs = np.stack([first.numpy(), second.numpy()], axis=1)  # partners side by side
        return np.asarray(pairs.reshape(-1, *pairs.shape[2:]), np.uint8)

    def _dataset(self, pairs: list[Pair], **options: Any) -> Any:
        chosen = self.settings
        size = (chosen.size, chosen.size)
        return pair_batches(pairs, size=size, batch=chosen.batch, seed=chosen.seed, cache=chosen.cache, **options)
