"""MTCNN's three networks, fully convolutional, uint8 RGB in.

Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks", SPL 2016. They
compute what the PyPI package mtcnn 1.0.0 computes, written so that XNNPACK can delegate all but the cast:

- the normalisation (x - 127.5) / 128 is folded into the first convolution, which has no padding, so it is exact;
- the fully connected layers are convolutions over the whole map, so the batch can be resized; the package flattens
  the map column by column (its weights were made in MATLAB's order), hence the transpose;
- the softmax over two classes is the sigmoid of their difference, so there is one probability and not two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facesecure.domain.errors import ModelError
from facesecure_training.common.optional_dependencies import tensorflow

Weights = Sequence[NDArray[np.float32]]
_MEAN, _SCALE = 127.5, 128.0


@dataclass(frozen=True, slots=True)
class HiddenLayer:
    """A valid convolution, PReLU, and optionally a max pooling of (size, padding), stride 2."""

    filters: int
    kernel: tuple[int, int]
    pool: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class OutputHead:
    """One output. ``weights`` is its position in the package's list, counted from the first head."""

    name: str
    channels: int
    weights: int


@dataclass(frozen=True, slots=True)
class Architecture:
    """One of the three networks; ``side`` is the side of the square it classifies."""

    name: str
    side: int
    hidden: tuple[HiddenLayer, ...]
    heads: tuple[OutputHead, ...]


PNET = Architecture(
    "pnet",
    12,
    (HiddenLayer(10, (3, 3), (2, "same")), HiddenLayer(16, (3, 3)), HiddenLayer(32, (3, 3))),
    (OutputHead("probability", 1, 1), OutputHead("box", 4, 0)),
)
RNET = Architecture(
    "rnet",
    24,
    (
        HiddenLayer(28, (3, 3), (3, "same")),
        HiddenLayer(48, (3, 3), (3, "valid")),
        HiddenLayer(64, (2, 2)),
        HiddenLayer(128, (3, 3)),
    ),
    (OutputHead("probability", 1, 1), OutputHead("box", 4, 0)),
)
ONET = Architecture(
    "onet",
    48,
    (
        HiddenLayer(32, (3, 3), (3, "same")),
        HiddenLayer(64, (3, 3), (3, "valid")),
        HiddenLayer(64, (3, 3), (2, "same")),
        HiddenLayer(128, (2, 2)),
        HiddenLayer(256, (3, 3)),
    ),
    (OutputHead("probability", 1, 2), OutputHead("box", 4, 0), OutputHead("landmarks", 10, 1)),
)
ARCHITECTURES = (PNET, RNET, ONET)


def build(architecture: Architecture, weights: Weights, shape: tuple[int | None, int | None, int | None]) -> Any:
    """Return the Keras model for uint8 RGB input of ``shape`` (batch, height, width) with the package's ``weights``.

    Outputs are (batch, rows, columns, channels), in the order of the architecture's heads. Raises ModelError if the
    weights are another network's.
    """
    keras = tensorflow().keras
    arrays = iter(_converted(architecture, weights))
    image = keras.Input(batch_shape=(*shape, 3), dtype="uint8", name="image")
    x = keras.ops.cast(image, "float32")
    for layer in architecture.hidden:
        x = _convolution(layer.filters, layer.kernel, next(arrays), next(arrays))(x)
        x = _prelu(next(arrays))(x)
        if layer.pool:
            x = keras.layers.MaxPooling2D(layer.pool[0], 2, layer.pool[1])(x)
    outputs = [_head(head, next(arrays), next(arrays))(x) for head in architecture.heads]
    return keras.Model(image, outputs, name=architecture.name)


def _convolution(filters: int, kernel: tuple[int, int], weight: Any, bias: Any, **options: Any) -> Any:
    initializers = tensorflow().keras.initializers
    return tensorflow().keras.layers.Conv2D(
        filters,
        kernel,
        kernel_initializer=initializers.Constant(weight),
        bias_initializer=initializers.Constant(bias),
        **options,
    )


def _prelu(alpha: NDArray[np.float32]) -> Any:
    keras = tensorflow().keras
    return keras.layers.PReLU(alpha_initializer=keras.initializers.Constant(alpha), shared_axes=[1, 2])


def _head(head: OutputHead, weight: Any, bias: Any) -> Any:
    activation = "sigmoid" if head.name == "probability" else None
    return _convolution(head.channels, (1, 1), weight, bias, activation=activation, name=head.name)


def _converted(architecture: Architecture, weights: Weights) -> Iterator[NDArray[np.float32]]:
    """Yield the package's arrays in the order that ``build`` needs, in the shape of convolutions."""
    hidden, heads = weights[: 3 * len(architecture.hidden)], weights[3 * len(architecture.hidden) :]
    if len(heads) != 2 * len(architecture.heads):
        raise ModelError(f"{len(weights)} arrays are not the weights of {architecture.name}")
    channels = 3
    for number, layer in enumerate(architecture.hidden):
        weight, bias, alpha = hidden[3 * number : 3 * number + 3]
        kernel = _kernel(architecture, weight, layer.kernel, channels)
        yield from _normalised(kernel, bias) if number == 0 else (kernel, bias)
        yield alpha.reshape(1, 1, layer.filters)
        channels = layer.filters
    for head in architecture.heads:
        weight, bias = (array.reshape(-1, array.shape[-1]) for array in heads[2 * head.weights : 2 * head.weights + 2])
        if head.name == "probability":  # softmax([no, yes])[1] is sigmoid(yes - no)
            weight, bias = weight[:, 1:] - weight[:, :1], bias[:, 1:] - bias[:, :1]
        yield weight.reshape(1, 1, channels, head.channels)
        yield bias.reshape(head.channels)


def _kernel(
    architecture: Architecture, weight: NDArray[np.float32], kernel: tuple[int, int], channels: int
) -> NDArray[np.float32]:
    if weight.size != kernel[0] * kernel[1] * channels * weight.shape[-1]:
        raise ModelError(f"weights of shape {weight.shape} do not belong to {architecture.name}")
    if weight.ndim == 4:
        return weight
    columns_first = weight.reshape(kernel[1], kernel[0], channels, -1)
    return np.ascontiguousarray(columns_first.transpose(1, 0, 2, 3))


def _normalised(
    kernel: NDArray[np.float32], bias: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    exact = kernel.astype(np.float64)
    shifted = bias - exact.sum((0, 1, 2)) * _MEAN / _SCALE
    return (exact / _SCALE).astype(np.float32), shifted.astype(np.float32)
