"""Trains an embedder to place faces where the bundled network places them; no labels are needed.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015, https://arxiv.org/abs/1503.02531. The
student's embedding may be shorter than the teacher's: it then follows the directions in which the teacher's embeddings
vary most (``teacher_views.projection``). It is validated on labelled people left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import UsageError
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.datasets.loading import batches_per_epoch
from facesecure_training.recipes.augment import preset
from facesecure_training.recipes.data import dataset_counts
from facesecure_training.recipes.embed import distillation
from facesecure_training.recipes.pair_validation import PairValidation
from facesecure_training.recipes.recipe import Goal
from facesecure_training.recipes.settings import SiameseSettings
from facesecure_training.recipes.teacher_views import TeacherViews, ViewSettings, projection, workers


class DistilTraining:
    """A Recipe for any ``network`` from uint8 RGB (batch, side, side, 3) to embeddings of length 1."""

    goal = Goal("val_auc")

    def __init__(self, network: Any, folders: tuple[ClassFolder, ClassFolder], settings: SiameseSettings) -> None:
        """Create the recipe, and make the views that are missing in ``settings.cache``; folders as for the others.

        Raises UsageError without a cache, or if the embedding is longer than the teacher's.
        """
        self.network = self.trained = network
        self.training_data, self.validation_data = folders
        self.settings = settings
        self._views = self._prepared()
        self._wanted = self._answers(int(network.output_shape[-1]))
        self.steps = batches_per_epoch(range(self._views.count), settings.batch)
        self.facts = {**dataset_counts(*folders), "views": self._views.count}
        options = {"size": (settings.size, settings.size), "batch": settings.batch, "cache": settings.cache}
        count = max(2, settings.pairs // 4)
        self._validation = PairValidation(self.validation_data, count, settings.seed, options)
        self._embedded = tensorflow().function(lambda images: network(images, training=False), reduce_retracing=True)

    def batches(self, epoch: int) -> Any:
        """Return all views in the order of ``epoch``, with where the teacher places them."""
        tf = tensorflow()
        order = np.random.default_rng((self.settings.seed, 3, epoch)).permutation(self._views.count)
        rows = tf.data.Dataset.from_tensor_slices(order).batch(self.settings.batch)
        return rows.map(self._loaded, num_parallel_calls=1, deterministic=True).prefetch(2)

    def losses(self, batch: Any) -> Any:
        """Return 1 minus the cosine of the student's embedding and the teacher's, of each image."""
        images, wanted = batch
        return distillation(wanted, self.trained(images, training=True))

    def validate(self) -> dict[str, float]:
        """Return figures on pairs of people left out."""
        return self._validation(self._embedded)

    def images(self) -> NDArray[np.uint8]:
        """Return the first batch of views, uint8 RGB (n, h, w, 3)."""
        images, _ = next(iter(self.batches(0)))
        return np.asarray(images.numpy(), np.uint8)

    def _prepared(self) -> TeacherViews:
        chosen = self.settings
        if chosen.cache is None:
            raise UsageError("distil needs a folder for the teacher's answers", "name one with --cache")
        changes = preset(chosen.augment, chosen.strength)
        made = TeacherViews(
            self.training_data.files, ViewSettings(chosen.views, chosen.size, changes, chosen.seed), chosen.cache
        )
        made.prepare(workers(chosen.threads))
        return made

    def _answers(self, size: int) -> NDArray[np.float32]:
        answers = np.asarray(self._views.answers)
        if size > answers.shape[1]:
            raise UsageError(
                f"the bundled network has {answers.shape[1]} outputs, fewer than {size}", "use a smaller --embedding"
            )
        kept = answers @ projection(answers, size)
        return np.asarray(kept / np.maximum(np.linalg.norm(kept, axis=1, keepdims=True), 1e-6), np.float32)

    def _loaded(self, rows: Any) -> tuple[Any, Any]:
        tf = tensorflow()
        side = self.settings.size
        images = tf.numpy_function(lambda at: np.asarray(self._views.pictures[at]), [rows], tf.uint8, stateful=False)
        wanted = tf.numpy_function(lambda at: self._wanted[at], [rows], tf.float32, stateful=False)
        return tf.ensure_shape(images, (None, side, side, 3)), tf.ensure_shape(wanted, (None, self._wanted.shape[1]))
