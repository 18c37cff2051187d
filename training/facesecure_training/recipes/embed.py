"""Trains an embedder as a classifier of people with ArcFace's margin, as a student of the bundled network, or both.

It is validated on people left out: how well it separates pairs of one of them from pairs of two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import UsageError
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.datasets.loading import batches, batches_per_epoch, pair_batches
from facesecure_training.networks import mobilefacenet
from facesecure_training.networks.contrastive import euclidean
from facesecure_training.networks.embedder import with_cosine_head
from facesecure_training.recipes.augment import augment, preset, with_brightening
from facesecure_training.recipes.data import dataset_counts, draw_pairs, verification_metrics
from facesecure_training.recipes.recipe import Goal
from facesecure_training.recipes.settings import EmbedderSettings


class EmbedderTraining:
    """A Recipe for any ``network`` from uint8 RGB (batch, side, side, 3) to embeddings of length 1."""

    goal = Goal("val_auc")

    def __init__(self, network: Any, folders: tuple[ClassFolder, ClassFolder], settings: EmbedderSettings) -> None:
        """Create the recipe; ``folders`` are the training and the validation data.

        Raises UsageError if the teacher has another shape.
        """
        from facesecure_training.networks.arcface import ArcFace

        self.network, self.settings = network, settings
        self.training_data, self.validation_data = folders
        people, self._labels = np.unique(
            self.training_data.labels, return_inverse=True
        )  # people held out get no direction
        headed = with_cosine_head(network, len(people))
        self.trained = tensorflow().keras.Model(headed.input, (network.output, headed.output), name=headed.name)
        self._arcface = ArcFace(settings.margin, settings.scale)
        self._teacher = _teacher_of(network, settings)
        self.steps = batches_per_epoch(self.training_data.files, settings.batch)
        self._validation_pairs = draw_pairs(self.validation_data, settings.pairs, (settings.seed, 1))
        self.facts = dataset_counts(self.training_data, self.validation_data)
        self._embedded = tensorflow().function(lambda images: network(images, training=False), reduce_retracing=True)

    def batches(self, epoch: int) -> Any:
        """Return the augmented batches of ``epoch``."""
        wanted = with_brightening(augment(preset(self.settings.augment, self.settings.strength)))
        files, options = self.training_data.files, self._options()
        made = batches(files, self._labels, shuffle=True, augment=wanted, repeat=True, epoch=epoch, **options)
        return made.take(self.steps)

    def losses(self, batch: Any) -> Any:
        """Return the loss of each image of ``batch``: ArcFace, distillation, or a mean of both."""
        images, labels = batch
        embeddings, cosines = self.trained(images, training=True)
        share = self.settings.distil
        loss = (1 - share) * self._arcface(labels, cosines)
        if self._teacher is None:
            return loss
        return loss + share * distillation(self._teacher(images, training=False), embeddings)

    def validate(self) -> dict[str, float]:
        """Return area under the curve and accuracy on pairs of people left out."""
        found = []
        for (first, second), different in pair_batches(
            self._validation_pairs, augment=with_brightening(None), **self._options()
        ):
            distances = euclidean(self._embedded(first), self._embedded(second))
            found.append((distances.numpy(), different.numpy()))
        distances, different = (np.concatenate(part) for part in zip(*found, strict=True))
        return verification_metrics(distances.astype(float), different)

    def images(self) -> NDArray[np.uint8]:
        """Return the first batch of images, uint8 RGB (n, h, w, 3)."""
        images, _ = next(iter(self.batches(0)))
        return np.asarray(images.numpy(), np.uint8)

    def _options(self) -> dict[str, Any]:
        chosen = self.settings
        size = (chosen.size, chosen.size)
        return {"size": size, "batch": chosen.batch, "seed": chosen.seed, "cache": chosen.cache}


def _teacher_of(network: Any, settings: EmbedderSettings) -> Any:
    """Return the teacher; None without distillation."""
    if not settings.distil:
        return None
    found = teacher()
    if network.input_shape[1:] != found.input_shape[1:] or network.output_shape[-1] != found.output_shape[-1]:
        raise UsageError(
            "the bundled network cannot teach a network of another shape",
            f"with --distil use --size {found.input_shape[1]} --embedding {found.output_shape[-1]}",
        )
    return found


def distillation(wanted: Any, found: Any) -> Any:
    """Return 1 minus the cosine of the teacher's embeddings and the student's, both (batch, n): 0 to 2, (batch,)."""
    ops = tensorflow().keras.ops
    wanted, found = (ops.normalize(ops.cast(one, "float32"), axis=-1) for one in (wanted, found))
    return 1 - ops.sum(wanted * found, axis=-1)


def teacher() -> Any:
    """Return the bundled embedder, frozen: aligned uint8 RGB faces (batch, 112, 112, 3) to float32 (batch, 192)."""
    network = mobilefacenet.bundled()
    network.trainable = False
    return network
