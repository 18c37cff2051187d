"""Trains a head on the frozen embedder: every image is embedded once, unchanged and in some augmented versions.

Dark faces are brightened first, as for the embedder that the daemon runs, and ``light`` in config.json records it: the
export passes it on, and the daemon does the same for the head.

What remains to train is convex and a matter of seconds, so Keras' ``fit`` does it, and an interrupted run is repeated:
the same seed ends at the same weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.common.progress import ProgressBar
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.datasets.loading import batches, batches_per_epoch
from facesecure_training.networks import compact, mobilefacenet
from facesecure_training.recipes.augment import augment, preset, with_brightening
from facesecure_training.recipes.checkpoint import TrainingProgress, numpy
from facesecure_training.recipes.classify import cross_entropy
from facesecure_training.recipes.recipe import Goal
from facesecure_training.recipes.settings import CompactSettings
from facesecure_training.recipes.training_log import TrainingLog


class HeadTraining:
    """A Recipe whose batches are embeddings."""

    goal = Goal("val_accuracy")

    def __init__(self, folders: tuple[ClassFolder, ClassFolder], settings: CompactSettings) -> None:
        """Create the recipe; ``folders`` are the training and the validation data."""
        self.training_data, self.validation_data = folders
        self.settings = settings
        classes = len(self.training_data.classes)
        self._whole = compact.compact(classes, kind="head", side=settings.size, dropout=settings.dropout)
        self._embedder = mobilefacenet.bundled()
        self._change = augment(preset(settings.augment, settings.strength))
        self.views = settings.views if self._change else 1
        self.trained = compact.head(classes, int(self._embedder.output.shape[-1]), dropout=settings.dropout)
        self.steps = batches_per_epoch(range(self.views * len(self.training_data)), settings.batch)
        self.facts = {
            "classes": list(self.training_data.classes),
            "light": "brightened",
            "pictures": {"train": len(self.training_data), "validation": len(self.validation_data)},
        }
        self._kept: dict[str, tuple[NDArray[np.float32], NDArray[np.int32]]] = {}

    @property
    def network(self) -> Any:
        """Embedder and head in one, as trained so far."""
        compact.copy_head_weights(self.trained, self._whole)
        return self._whole

    def batches(self, epoch: int) -> Any:
        """Return the shuffled embeddings of ``epoch``."""
        tf = tensorflow()
        vectors, labels = self._embedded("train", self.training_data, self.views)
        order = np.random.default_rng((self.settings.seed, epoch)).permutation(len(labels))
        return tf.data.Dataset.from_tensor_slices((vectors[order], labels[order])).batch(self.settings.batch)

    def losses(self, batch: Any) -> Any:
        """Return the cross-entropy of each embedding of ``batch``."""
        vectors, labels = batch
        return cross_entropy(labels, self.trained(vectors, training=True))

    def validate(self) -> dict[str, float]:
        """Return loss and accuracy on the validation data."""
        vectors, labels = self._embedded("validation", self.validation_data, 1)
        found = self.trained(vectors, training=False).numpy()
        loss = cross_entropy(labels, found).numpy().mean()
        return {"val_loss": float(loss), "val_accuracy": float((found.argmax(1) == labels).mean())}

    def images(self) -> NDArray[np.uint8]:
        """Return the first batch of images, uint8 RGB (n, h, w, 3)."""
        images, _ = next(iter(self._dataset(self.training_data, self.views - 1)))
        return np.asarray(images.numpy(), np.uint8)

    def _embedded(self, part: str, folder: ClassFolder, views: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Return vectors (n, size) and labels (n,) of every view of every image; the first view is unchanged."""
        if part not in self._kept:
            found, per_view = [], batches_per_epoch(folder.files, self.settings.batch)
            with ProgressBar(views * per_view, f"embedding {part}") as bar:
                for view in range(views):
                    for number, (images, labels) in enumerate(self._dataset(folder, view), view * per_view):
                        found.append((self._embedder(images, training=False).numpy(), labels.numpy()))
                        bar.reach(number + 1)
            vectors, labels = (np.concatenate(some) for some in zip(*found, strict=True))
            self._kept[part] = vectors.astype(np.float32), labels.astype(np.int32)
        return self._kept[part]

    def _dataset(self, folder: ClassFolder, view: int) -> Any:
        chosen = self.settings
        made = batches(
            folder.files,
            folder.labels,
            size=(chosen.size, chosen.size),
            batch=chosen.batch,
            seed=chosen.seed,
            cache=chosen.cache,
            augment=with_brightening(self._change if view else None),
            repeat=True,
            epoch=view,
        )
        return made.take(batches_per_epoch(folder.files, chosen.batch))


def fit_head(record: TrainingLog, optimiser: Any, *, eager: bool = False) -> TrainingProgress:
    """Train the recipe of ``record`` with Keras' ``fit``, one epoch per call, so that each has its own order.

    Raises FacesecureError if it diverges.
    """
    recipe = record.recipe
    trained = recipe.trained
    trained.compile(optimizer=optimiser, loss="sparse_categorical_crossentropy", run_eagerly=eager)
    first = recipe.batches(0)
    with ProgressBar(record.epochs, "training") as bar:
        while not record.progress.finished:
            epoch = record.progress.epoch
            history = trained.fit(first if epoch == 0 else recipe.batches(epoch), shuffle=False, verbose=0).history
            rate = float(numpy(trained.optimizer.learning_rate))
            record.add({"epoch": epoch + 1.0, "loss": history["loss"][-1], "lr": rate, **recipe.validate()}, bar)
            bar.reach(epoch + 1)
    return record.progress
