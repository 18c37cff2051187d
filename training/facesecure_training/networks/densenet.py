"""DenseNet, written to be read, as the body of an embedding network.

Huang, Liu, van der Maaten and Weinberger, "Densely Connected Convolutional Networks", CVPR 2017,
https://arxiv.org/abs/1608.06993.

In a plain network a layer sees only the output of the layer before it. Here every *unit* sees the outputs of all units
before it in its block, side by side (concatenated, not added as in a ResNet), and adds ``growth`` channels of its own.
So a unit can be narrow, 32 channels where a VGG has 512, because it only adds what is new. And the gradient has a short
path back to every unit.

    unit         BN, ReLU, 1x1 to 4 * growth     the bottleneck: few channels before the costly convolution
                 BN, ReLU, 3x3 to growth         the spatial convolution
                 concatenated to the input
    block        several units; the map keeps its size, the channels grow by ``growth`` a unit
    transition   BN, ReLU, 1x1 to theta * channels (compression), 2x2 average: half the side, half the channels
    network      stem (7x7 of stride 2, 3x3 maximum of stride 2), block, transition, block, ..., block,
                 BN, ReLU, the mean over the map, and one dense layer: the embedding

Batch normalisation and ReLU come *before* each convolution (He et al., "Identity Mappings in Deep Residual Networks",
ECCV 2016): each unit then normalises, for itself, channels that many units share.

DenseNet-121 is blocks of 6, 12, 24 and 16 units with growth 32 and theta 0.5. The 121: two convolutions for each of 58
units, three transitions, the stem and the dense layer. With an embedding of 32 it has 7.07 million parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from facesecure.domain.errors import UsageError
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.networks.pixels import image_input, minus_one_to_one, require_at_least, unit_length

DENSENET_121 = (6, 12, 24, 16)
DENSENET_169 = (6, 12, 32, 32)
DENSENET_201 = (6, 12, 48, 32)
SMALL = (3, 6, 8, 6)
"""Small enough to train without a GPU: 429,200 parameters with growth 16 and an embedding of 32."""
BOTTLENECK = 4
_EPSILON = 1.001e-5  # of the reference implementation
_ROOT = "he_normal"  # He et al. 2015, as the paper has it


def densenet(
    blocks: Sequence[int] = DENSENET_121,
    *,
    growth: int = 32,
    theta: float = 0.5,
    embedding: int = 32,
    side: int = 112,
    normalise: bool = False,
) -> Any:
    """Return the network: uint8 RGB (batch, side, side, 3) to float32 embeddings (batch, embedding).

    ``blocks`` are units per block, ``growth`` is the paper's k. ``normalise`` makes embeddings of length 1, as the
    daemon needs them. The paper's table has side 224; the number of parameters does not depend on it. Raises UsageError
    for what cannot be built.
    """
    _check(blocks, growth, theta, embedding, side)
    keras = tensorflow().keras
    image = image_input(side)
    x = _stem(minus_one_to_one(image), 2 * growth)
    for number, units in enumerate(blocks, 1):
        x = _block(x, units, growth, f"block{number}")
        if number < len(blocks):
            x = _transition(x, theta, f"transition{number}")
    x = keras.layers.GlobalAveragePooling2D(name="mean")(_ready(x, "last"))
    x = keras.layers.Dense(embedding, dtype="float32", name="vector")(x)
    return keras.Model(image, unit_length(x) if normalise else x, name=f"densenet{depth(blocks)}")


def depth(blocks: Sequence[int]) -> int:
    """Return the number in the name: convolutions and dense layers from input to output."""
    return 2 * sum(blocks) + (len(blocks) - 1) + 2


def _stem(x: Any, filters: int) -> Any:
    """Reduce the side to a quarter before the first block: 7x7 of stride 2, then the maximum of 3x3 at stride 2."""
    layers = tensorflow().keras.layers
    x = layers.Conv2D(
        filters, 7, strides=2, padding="same", use_bias=False, kernel_initializer=_ROOT, name="stem_conv"
    )(x)
    return layers.MaxPooling2D(3, strides=2, padding="same", name="stem")(_ready(x, "stem"))


def _block(x: Any, units: int, growth: int, name: str) -> Any:
    for number in range(1, units + 1):
        x = _unit(x, growth, f"{name}_unit{number}")
    return x


def _unit(x: Any, growth: int, name: str) -> Any:
    few = _convolution(_ready(x, f"{name}a"), BOTTLENECK * growth, 1, f"{name}a")
    new = _convolution(_ready(few, f"{name}b"), growth, 3, f"{name}b")
    return tensorflow().keras.layers.Concatenate(name=name)([x, new])


def _transition(x: Any, theta: float, name: str) -> Any:
    x = _convolution(_ready(x, name), int(theta * x.shape[-1]), 1, name)
    return tensorflow().keras.layers.AveragePooling2D(2, name=name)(x)


def _ready(x: Any, name: str) -> Any:
    """Apply batch normalisation and ReLU, which come before every convolution but the stem's."""
    from facesecure_training.networks.normalisation import FusedBatchNormalization

    x = FusedBatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(x)
    return tensorflow().keras.layers.ReLU(name=f"{name}_relu")(x)


def _convolution(x: Any, filters: int, size: int, name: str) -> Any:
    """Apply a convolution without bias: the batch normalisation that follows would remove it again."""
    return tensorflow().keras.layers.Conv2D(
        filters, size, padding="same", use_bias=False, kernel_initializer=_ROOT, name=f"{name}_conv"
    )(x)


def _check(blocks: Sequence[int], growth: int, theta: float, embedding: int, side: int) -> None:
    require_at_least(len(blocks), 1, "the number of blocks")
    require_at_least(min(blocks), 1, "the number of units in a block")
    require_at_least(growth, 1, "the growth rate")
    require_at_least(embedding, 2, "the size of the embedding")
    if not 0 < theta <= 1:
        raise UsageError(f"theta is {theta}", "it is the share of channels a transition keeps: above 0, at most 1")
    if side < 2 ** (len(blocks) + 1):
        raise UsageError(f"{len(blocks)} blocks are too many for {side} pixels", "use a larger side, or fewer blocks")
