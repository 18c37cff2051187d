"""Trains a classifier: images in, one probability per class out; cross-entropy, validated on other sources."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.datasets.loading import batches, batches_per_epoch
from facesecure_training.recipes.augment import augment, preset
from facesecure_training.recipes.recipe import Goal
from facesecure_training.recipes.settings import ClassifierSettings


class ClassifierTraining:
    """A Recipe for any ``network`` from uint8 RGB (batch, side, side, 3) to probabilities (batch, classes)."""

    goal = Goal("val_accuracy")

    def __init__(self, network: Any, folders: tuple[ClassFolder, ClassFolder], settings: ClassifierSettings) -> None:
        """Create the recipe; ``folders`` are the training and the validation data."""
        self.network = self.trained = network
        self.training_data, self.validation_data = folders
        self.settings = settings
        self.steps = batches_per_epoch(self.training_data.files, settings.batch)
        self.facts = {
            "classes": list(self.training_data.classes),
            "pictures": {"train": len(self.training_data), "validation": len(self.validation_data)},
        }
        self._predict = tensorflow().function(lambda images: network(images, training=False), reduce_retracing=True)

    def batches(self, epoch: int) -> Any:
        """Return the augmented batches of ``epoch``."""
        wanted = augment(preset(self.settings.augment, self.settings.strength))
        return self._dataset(self.training_data, shuffle=True, augment=wanted, repeat=True, epoch=epoch).take(
            self.steps
        )

    def losses(self, batch: Any) -> Any:
        """Return the cross-entropy of each image of ``batch``."""
        images, labels = batch
        return cross_entropy(labels, self.trained(images, training=True))

    def validate(self) -> dict[str, float]:
        """Return loss and accuracy on the validation data."""
        losses, right = [], []
        for images, labels in self._dataset(self.validation_data):
            found = self._predict(images)
            losses.append(cross_entropy(labels, found).numpy())
            right.append(found.numpy().argmax(1) == labels.numpy())
        return {"val_loss": float(np.concatenate(losses).mean()), "val_accuracy": float(np.concatenate(right).mean())}

    def images(self) -> NDArray[np.uint8]:
        """Return the first batch of images, uint8 RGB (n, h, w, 3)."""
        images, _ = next(iter(self.batches(0)))
        return np.asarray(images.numpy(), np.uint8)

    def _dataset(self, folder: ClassFolder, **options: Any) -> Any:
        chosen = self.settings
        size = (chosen.size, chosen.size)
        return batches(
            folder.files, folder.labels, size=size, batch=chosen.batch, seed=chosen.seed, cache=chosen.cache, **options
        )


def cross_entropy(labels: Any, probabilities: Any) -> Any:
    """Return the cross-entropy (n,), float32, of ``labels`` (n,) and ``probabilities`` (n, classes)."""
    tf = tensorflow()
    return tf.keras.losses.sparse_categorical_crossentropy(labels, tf.cast(probabilities, tf.float32))
