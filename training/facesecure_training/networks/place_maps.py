"""Maps of an aligned face: what is seen at each place, by a fixed bank of filters and by a trained DenseNet.

The mean over the last map, with which a DenseNet ends, forgets *where* something was seen. In aligned faces a place is
always the same part of the face, so these maps keep it.

    oriented   edges and lines in eight directions and several sizes: Gaussian derivatives of first and second order, as
               in the histograms of Dalal and Triggs ("Histograms of Oriented Gradients for Human Detection", CVPR 2005)
    learnt     what a DenseNet computes before each transition; its last block knows those it was trained on by heart

At each place the root is taken and all channels are scaled to length 1 together: what remains is the pattern, not how
strong the light was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import UsageError
from facesecure.vision.images.align import SIZE
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.networks.pixels import minus_one_to_one

DIRECTIONS = 8
_LARGEST = 8
"""Rows and columns of a learnt map; larger ones are halved."""
_FAINT, _WEAK = 1e-8, 0.05
"""Added inside the root, and to the length: where there is nothing to be seen, nothing is scaled up."""
_BRIGHTEST = 255.0
"""Filters see bytes as they are, so that no scale changes their weights when the network is converted."""


@dataclass(frozen=True, slots=True)
class Bank:
    """Filters by (sigma in pixels, order of the derivative), averaged over ``cell`` pixels every ``step`` pixels."""

    filters: Sequence[tuple[float, int]]
    cell: int
    step: int


BANKS = (
    Bank(((0.7, 1), (1.0, 2)), 10, 6),
    Bank(((1.0, 1), (1.0, 2), (2.0, 1), (2.0, 2)), 14, 8),
    Bank(((1.5, 1), (1.5, 2), (3.0, 1), (3.0, 2)), 20, 9),
)
"""Fine, medium and coarse."""


class PlaceMaps:
    """All maps of faces: those of BANKS, and those of ``network``, a DenseNet of any side.

    Called with uint8 RGB (batch, SIZE, SIZE, 3), it returns them, each float32 (batch, rows, columns, channels).
    """

    def __init__(self, network: Any) -> None:
        """Use the weights of ``network``, which sees faces of half the size. Raises UsageError if it is no DenseNet."""
        keras = tensorflow().keras
        names = [layer.name for layer in network.layers if _is_before_transition(layer.name)]
        if not names:
            raise UsageError(f"{network.name} is no DenseNet with transitions", "name a run of train siamese-densenet")
        half = keras.Input((SIZE // 2, SIZE // 2, 3), dtype="uint8", name="picture")
        smaller = keras.models.clone_model(network, half)
        smaller.set_weights(network.get_weights())
        smaller.trainable = False
        found = [smaller.get_layer(name).output for name in names]
        self._learnt = keras.Model(smaller.get_layer("minus_one_to_one").output, found, name="learnt")
        self.count = len(BANKS) + len(names)

    def __call__(self, faces: Any) -> list[Any]:
        """Return the maps of ``faces``."""
        layers = tensorflow().keras.layers
        half = layers.AveragePooling2D(2)(tensorflow().keras.ops.cast(faces, "float32"))
        found = self._learnt(minus_one_to_one(half))
        small = [layers.AveragePooling2D(2)(one) if one.shape[1] > _LARGEST else one for one in found]
        return [*(oriented(bank, faces) for bank in BANKS), *map(_pattern, small)]


def oriented(bank: Bank, faces: Any) -> Any:
    """Return the map of ``bank``: of each filter both signs in all directions."""
    keras = tensorflow().keras
    grey = keras.ops.mean(keras.ops.cast(faces, "float32"), axis=3, keepdims=True)
    return keras.layers.Concatenate()([_seen(grey, *one, bank) for one in bank.filters])


def _is_before_transition(name: str) -> bool:
    return name.startswith("transition") and name.endswith("_relu")


def _seen(grey: Any, sigma: float, order: int, bank: Bank) -> Any:
    layers = tensorflow().keras.layers
    kernel = filters(sigma, order)
    convolution = layers.Conv2D(DIRECTIONS, kernel.shape[0], padding="same", use_bias=False, trainable=False)
    convolution.build((None, None, None, 1))
    convolution.set_weights([kernel])
    found = convolution(grey)
    both = layers.Concatenate()([layers.ReLU()(found), layers.ReLU()(-found)])
    return _pattern(layers.AveragePooling2D(bank.cell, strides=bank.step)(both), _BRIGHTEST)


def _pattern(found: Any, brightest: float = 1.0) -> Any:
    ops = tensorflow().keras.ops
    roots = ops.sqrt(found + _FAINT * brightest)
    return roots / (ops.sqrt(ops.sum(ops.square(roots), axis=3, keepdims=True)) + _WEAK * brightest**0.5)


def filters(sigma: float, order: int) -> NDArray[np.float32]:
    """Return the derivatives of ``order`` 1 or 2 of a Gaussian in all directions, (side, side, 1, DIRECTIONS).

    Each has the sum 0, and its absolute values nearly the sum 1. The weights are the same in 16 bits: rounded there, a
    filter would see something where all is alike.
    """
    reach = int(np.ceil(3 * sigma))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    bell = np.exp(-(rows**2 + columns**2) / (2 * sigma**2))
    made = [_derivative(columns * np.cos(one) + rows * np.sin(one), bell, sigma, order) for one in _angles()]
    return np.stack(made, axis=-1)[:, :, None, :].astype(np.float32)


def _derivative(along: NDArray[Any], bell: NDArray[Any], sigma: float, order: int) -> NDArray[Any]:
    kernel = along * bell if order == 1 else (along**2 / sigma**2 - 1) * bell
    kernel = kernel - kernel.mean()
    return _in_16_bits(kernel / np.abs(kernel).sum())


def _in_16_bits(kernel: NDArray[Any]) -> NDArray[Any]:
    """Return ``kernel`` in multiples, up to some 1024, of one power of 2, with the sum 0."""
    unit = 2.0 ** (np.ceil(np.log2(np.abs(kernel).max())) - 10)
    counts = np.rint(kernel / unit)
    middle = kernel.shape[0] // 2
    counts[middle, middle] -= counts.sum()
    return np.asarray(counts * unit)


def _angles() -> list[float]:
    return [np.pi * number / DIRECTIONS for number in range(DIRECTIONS)]
