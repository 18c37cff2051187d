"""A modern embedder, trained from scratch: MobileFaceNet (Chen et al., CCBR 2018, https://arxiv.org/abs/1804.07573).

The network of ``mobilefacenet``, written from the paper's table with batch normalisation in it. Its parts:

    bottleneck   1x1 to t times the channels, 3x3 depthwise, 1x1 back with no activation (MobileNetV2's inverted
                 residual, Sandler et al., CVPR 2018); where shape and stride allow it, added to its input
    the end      a depthwise convolution as large as the map: a mean would weigh the corner of a face like its
                 centre, while here every position has a weight of its own in every channel
    PReLU        below zero a slope is trained for each channel; "relu" instead suits int8 and the Edge TPU

It is trained as a classifier of people with ``with_cosine_head`` and ``networks.arcface``, or as the student of the
bundled network with ``recipes.embed.distillation``; only the embedder is exported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from facesecure.domain.errors import UsageError
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.networks.pixels import image_input, minus_one_to_one, require_at_least, scaled, unit_length

SIDE = 112
Activation = Literal["prelu", "relu"]
STAGES: tuple[tuple[int, int, int, int], ...] = (
    (2, 64, 5, 2),
    (4, 128, 1, 2),
    (2, 128, 6, 1),
    (4, 128, 1, 2),
    (2, 128, 2, 1),
)
"""(t, channels, repeats, stride of the first) of the paper's table 1."""
LAST = 512


def embedder(
    embedding: int = 128,
    *,
    width: float = 1.0,
    activation: Activation = "prelu",
    side: int = SIDE,
    stages: Sequence[tuple[int, int, int, int]] = STAGES,
) -> Any:
    """Return the network: aligned uint8 RGB faces (batch, side, side, 3) to float32 embeddings of length 1.

    Embeddings are (batch, embedding). ``width`` scales every number of channels but the embedding's: 0.5 has about a
    quarter of the weights. ``stages`` are the paper's, or fewer. Raises UsageError for what cannot be built.
    """
    require_at_least(embedding, 2, "the size of the embedding")
    if side % 16 or side < 32:
        raise UsageError(f"the embedder cannot halve {side} pixels four times", "use a multiple of 16: 112, 64")
    if activation not in ("prelu", "relu"):
        raise UsageError(f"there is no activation {activation!r} here", "use prelu, or relu for int8")
    layers = tensorflow().keras.layers
    image = image_input(side)
    x = _convolution(minus_one_to_one(image), scaled(64, width), 3, 2, activation)
    x = _depthwise(x, 3, 1, activation)
    for expansion, channels, repeats, stride in stages:
        for number in range(repeats):
            x = _bottleneck(x, expansion, scaled(channels, width), stride if number == 0 else 1, activation)
    x = _convolution(x, scaled(LAST, width), 1, 1, activation)
    x = _depthwise(x, int(x.shape[1]), 1, None, padding="valid")
    x = layers.Reshape((embedding,), name="vector")(_convolution(x, embedding, 1, 1, None))
    return tensorflow().keras.Model(image, unit_length(x), name="embedder")


def with_cosine_head(network: Any, people: int) -> Any:
    """Return ``network`` with one direction per person on top: images to cosines (batch, people), for ``ArcFace``."""
    from facesecure_training.networks.arcface import CosineHead

    require_at_least(people, 2, "the number of people")
    cosines = CosineHead(people, name="cosines")(network.output)
    return tensorflow().keras.Model(network.input, cosines, name=f"{network.name}_with_head")


def _bottleneck(x: Any, expansion: int, channels: int, stride: int, activation: Activation) -> Any:
    inner = _convolution(x, expansion * int(x.shape[-1]), 1, 1, activation)
    inner = _convolution(_depthwise(inner, 3, stride, activation), channels, 1, 1, None)
    if stride == 1 and x.shape[-1] == channels:
        return tensorflow().keras.layers.Add()([x, inner])
    return inner


def _convolution(x: Any, filters: int, size: int, stride: int, activation: Activation | None) -> Any:
    layer = tensorflow().keras.layers.Conv2D(
        filters, size, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal"
    )
    return _finished(layer(x), activation)


def _depthwise(x: Any, size: int, stride: int, activation: Activation | None, padding: str = "same") -> Any:
    layer = tensorflow().keras.layers.DepthwiseConv2D(size, strides=stride, padding=padding, use_bias=False)
    return _finished(layer(x), activation)


def _finished(x: Any, activation: Activation | None) -> Any:
    """Apply batch normalisation, and the activation if there is one."""
    from facesecure_training.networks.normalisation import FusedBatchNormalization

    layers = tensorflow().keras.layers
    x = FusedBatchNormalization(momentum=0.95)(x)
    if activation is None:
        return x
    if activation == "relu":
        return layers.ReLU()(x)
    return layers.PReLU(alpha_initializer=tensorflow().keras.initializers.Constant(0.25), shared_axes=[1, 2])(x)
