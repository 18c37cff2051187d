"""Trains an embedder on batches of several images of people who look alike; validated on people left out.

All images of a batch are compared with each other. Which people look alike is found anew after each epoch, by the
network as it is then (``recipes.people_batches``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.datasets.loading import batches, batches_per_epoch
from facesecure_training.networks.contrastive import contrastive_in_batch
from facesecure_training.recipes.augment import augment, preset, with_brightening
from facesecure_training.recipes.data import dataset_counts
from facesecure_training.recipes.pair_validation import PairValidation
from facesecure_training.recipes.people_batches import epoch_order, nearest_people, some_of_each
from facesecure_training.recipes.recipe import Goal
from facesecure_training.recipes.settings import SiameseSettings

_OF_EACH = 2
"""Images of a person from which it is judged who looks like them."""


class PeopleTraining:
    """A Recipe for any ``network`` from uint8 RGB (batch, side, side, 3) to embeddings."""

    goal = Goal("val_auc")

    def __init__(self, network: Any, folders: tuple[ClassFolder, ClassFolder], settings: SiameseSettings) -> None:
        """Create the recipe; ``folders`` are the training and the validation data."""
        tf = tensorflow()
        self.network = self.trained = network
        self.training_data, self.validation_data = folders
        self.settings = settings
        _, self._labels = np.unique(self.training_data.labels, return_inverse=True)
        self._people = int(self._labels.max()) + 1
        nobody = np.full((self._people, settings.alike), -1, np.int64)
        self._alike = tf.keras.Variable(nobody, trainable=False, dtype="int64", name="alike")
        self.memory = (self._alike,)
        self.steps = batches_per_epoch(self.training_data.files, settings.batch)
        self.facts = dataset_counts(*folders)
        count = max(2, settings.pairs // 4)
        self._validation = PairValidation(self.validation_data, count, settings.seed, self._options())
        self._embedded = tf.function(lambda images: network(images, training=False), reduce_retracing=True)
        if settings.initial is not None and settings.alike:
            self._mine()

    def batches(self, epoch: int) -> Any:
        """Return the augmented batches of ``epoch``: every image once, people who look alike side by side."""
        chance = np.random.default_rng((self.settings.seed, 2, epoch))
        order = epoch_order(self._labels, np.asarray(self._alike.numpy()), self.settings.each, chance)
        wanted = with_brightening(augment(preset(self.settings.augment, self.settings.strength)))
        return self._dataset(order, augment=wanted, repeat=True, epoch=epoch).take(self.steps)

    def losses(self, batch: Any) -> Any:
        """Return each image's contrastive loss, compared with all others of ``batch``."""
        images, labels = batch
        return contrastive_in_batch(labels, self.trained(images, training=True), self.settings.margin)

    def validate(self) -> dict[str, float]:
        """Return figures on pairs of people left out, and find for the next epoch who looks alike."""
        if self.settings.alike:
            self._mine()
        return self._validation(self._embedded)

    def images(self) -> NDArray[np.uint8]:
        """Return the first batch of images, uint8 RGB (n, h, w, 3)."""
        images, _ = next(iter(self.batches(0)))
        return np.asarray(images.numpy(), np.uint8)

    def _mine(self) -> None:
        some = some_of_each(self._labels, _OF_EACH)
        made = self._dataset(some, augment=with_brightening(None))
        embeddings = np.concatenate([self._embedded(images).numpy() for images, _ in made])
        self._alike.assign(nearest_people(embeddings, self._labels[some], self.settings.alike, self._people))

    def _dataset(self, order: NDArray[np.int64], **options: Any) -> Any:
        files = [self.training_data.files[int(index)] for index in order]
        return batches(files, self._labels[order], **options, **self._options())

    def _options(self) -> dict[str, Any]:
        chosen = self.settings
        size = (chosen.size, chosen.size)
        return {"size": size, "batch": chosen.batch, "seed": chosen.seed, "cache": chosen.cache}
