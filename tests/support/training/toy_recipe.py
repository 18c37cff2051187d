"""The smallest recipe that can be trained: two kinds of squares, a dropout, two dense layers. Imports TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from facesecure_training.recipes.classify import cross_entropy
from facesecure_training.recipes.recipe import Goal


class Toy:
    """A Recipe of six steps an epoch. ``validations``, while there are any, are the figures of each epoch."""

    goal = Goal("val_loss", higher=False)
    steps = 6
    batch = 4

    def __init__(self, *, dropout: float = 0.3, normalised: bool = True) -> None:
        keras = tf.keras
        keras.utils.set_random_seed(3)
        image = keras.Input((4, 4, 3), dtype="uint8")
        x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(image))
        x = keras.layers.Dropout(dropout, seed=5)(keras.layers.Dense(8, activation="relu")(x))
        x = keras.layers.BatchNormalization()(x) if normalised else x
        self.network = self.trained = keras.Model(image, keras.layers.Dense(2, activation="softmax")(x))
        self.facts: dict[str, Any] = {"classes": ["dark", "light"]}
        self.validations: list[float] = []

    def batches(self, epoch: int) -> Any:
        chance = np.random.default_rng((1, epoch))
        labels = chance.integers(0, 2, self.steps * self.batch).astype(np.int32)
        pictures = (chance.integers(0, 160, (len(labels), 4, 4, 3)) + 90 * labels[:, None, None, None]).astype(np.uint8)
        return tf.data.Dataset.from_tensor_slices((pictures, labels)).batch(self.batch)

    def losses(self, batch: Any) -> Any:
        return cross_entropy(batch[1], self.trained(batch[0], training=True))

    def validate(self) -> dict[str, float]:
        if self.validations:
            return {"val_loss": self.validations.pop(0)}
        pictures, labels = next(iter(self.batches(1000)))
        return {"val_loss": float(cross_entropy(labels, self.trained(pictures, training=False)).numpy().mean())}

    def images(self) -> Any:
        return np.zeros((self.batch, 4, 4, 3), np.uint8)
