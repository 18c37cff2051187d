"""An embedder whose last layer is computed, not trained: maps of a face, and the axes that tell people apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.vision.images.align import SIZE
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.networks.mirrored import with_mirror_images
from facesecure_training.networks.pixels import image_input, unit_length
from facesecure_training.networks.place_maps import PlaceMaps


@dataclass(frozen=True, slots=True)
class Axes:
    """Where numbers (batch, n) lie on some axes: ``numbers @ matrix + offset``, float32 (batch, axes)."""

    matrix: NDArray[np.float32]
    offset: NDArray[np.float32]


def numbers_of(maps: PlaceMaps, place: int) -> Any:
    """Return a model from faces, uint8 RGB (batch, SIZE, SIZE, 3), to the numbers of one of their ``maps`` (batch, n).

    They are the mean of those of the face and of its mirror image.
    """
    image = image_input(SIZE)
    return tensorflow().keras.Model(image, _numbers(maps, image)[place], name="numbers")


def discriminant(maps: PlaceMaps, axes: Iterable[Axes]) -> Any:
    """Return the network: aligned uint8 RGB faces (batch, SIZE, SIZE, 3) to float32 embeddings of length 1.

    Each map has its ``axes``, and the same weight in the embedding as every other.
    """
    keras = tensorflow().keras
    image = image_input(SIZE)
    placed = zip(axes, _numbers(maps, image), strict=True)
    parts = [_on(one, numbers, place) for place, (one, numbers) in enumerate(placed)]
    return keras.Model(image, unit_length(keras.layers.Concatenate()(parts)), name="discriminant")


def _on(axes: Axes, numbers: Any, place: int) -> Any:
    layer = tensorflow().keras.layers.Dense(axes.matrix.shape[1], dtype="float32", name=f"axes{place}")
    found = layer(numbers)
    layer.set_weights([axes.matrix, axes.offset])
    return unit_length(found, f"part{place}")


def _numbers(maps: PlaceMaps, image: Any) -> list[Any]:
    keras = tensorflow().keras
    halves = (keras.ops.split(one, 2, axis=0) for one in maps(with_mirror_images(image)))
    return [keras.layers.Flatten()((face + mirrored) / 2) for face, mirrored in halves]
