"""Turns a trained DenseNet into an embedder that keeps places: its maps and fixed filters, with computed last layers.

It takes minutes, needs no GPU, and the same seed gives the same network. An interrupted run is begun anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.vision.images.align import SIZE
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.common.progress import ProgressBar
from facesecure_training.datasets.corrupt_files import naming_unreadable
from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.datasets.loading import batches, batches_per_epoch
from facesecure_training.networks import saved
from facesecure_training.networks.discriminant import Axes, discriminant, numbers_of
from facesecure_training.networks.place_maps import PlaceMaps
from facesecure_training.recipes import devices
from facesecure_training.recipes.augment import with_brightening
from facesecure_training.recipes.checkpoint import EpochRow
from facesecure_training.recipes.data import dataset_counts, require_people
from facesecure_training.recipes.fisher import FisherSettings, Rows, discriminants
from facesecure_training.recipes.pair_validation import PairValidation
from facesecure_training.recipes.run_folder import RunFolder
from facesecure_training.recipes.settings import DISCRIMINANT, DiscriminantSettings

_BATCH = 64


def train(settings: DiscriminantSettings, folder: RunFolder) -> EpochRow:
    """Compute the network, write it to ``folder``, and return its figures on the people of the validation.

    Raises UsageError if ``folder`` holds a run, ``initial`` is no DenseNet, or there is one person only;
    FacesecureError as ``fisher.discriminants``; ImageError, with their names, if images cannot be read.
    """
    folder.refuse_if_used()
    devices.limit(settings.threads, 1)
    tensorflow().keras.utils.set_random_seed(settings.seed)
    data, others = ClassFolder.read(settings.data), ClassFolder.read(settings.validation)
    validation = PairValidation(others, settings.pairs, settings.seed, _loading(settings))
    require_people(data, 1)
    maps = PlaceMaps(saved.read(settings.initial))
    with naming_unreadable(data.files, others.files):
        network = discriminant(maps, _computed(maps, data, settings))
        row = {"epoch": 1.0, **validation(tensorflow().function(network, reduce_retracing=True))}
    folder.begin(DISCRIMINANT, settings, dataset_counts(data, others))
    folder.save_best(network)
    folder.save_curves([row])
    return row


def _computed(maps: PlaceMaps, data: ClassFolder, settings: DiscriminantSettings) -> Iterator[Axes]:
    """Yield the axes of each map: only one map's numbers are in memory at a time."""
    people = np.asarray(data.labels, np.int64)
    wanted = FisherSettings(settings.components, settings.axes, settings.towards_all)
    steps = batches_per_epoch(data.files, _BATCH)
    with ProgressBar(maps.count * steps, "maps of faces", images=_BATCH) as bar:
        for place in range(maps.count):
            chance = np.random.default_rng((settings.seed, place))
            numbers = _seen(numbers_of(maps, place), data, settings, bar, place * steps)
            yield discriminants(numbers, people, wanted, chance)


def _seen(model: Any, data: ClassFolder, settings: DiscriminantSettings, bar: ProgressBar, begun: int) -> Rows:
    """Return the numbers that ``model`` gives of all images, float32 (images, n)."""
    look = tensorflow().function(model, reduce_retracing=True)
    numbers: NDArray[np.float32] = np.empty((len(data), model.output_shape[-1]), np.float32)
    loaded = batches(data.files, data.labels, augment=with_brightening(None), **_loading(settings))
    for number, (images, _) in enumerate(loaded):
        numbers[number * _BATCH : (number + 1) * _BATCH] = look(images).numpy()
        bar.reach(begun + number + 1)
    return numbers


def _loading(settings: DiscriminantSettings) -> dict[str, Any]:
    return {"size": (SIZE, SIZE), "batch": _BATCH, "seed": settings.seed, "cache": settings.cache}
