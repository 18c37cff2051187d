"""Our answer to ``hugonet``: a classifier under 1/50 of its size and 1/20 of its time, in two kinds.

``head``: a softmax over the embedding of the network that the daemon carries anyway, which was taught on some 85,000
people. What has to be learnt of a household is one weight vector a class, so ten photos will do, and the loss is
convex: one minimum, found from zero. This is the linear probe of transfer learning (Donahue et al., "DeCAF", ICML
2014). The twentieth of the time it keeps on LiteRT with its 1x1 kernels as int8 (``mixed8``); as float it is a 14th.
In int8 throughout it runs too, but its embedder was not taught for that: the mean cosine with itself is 0.95, and an
export refuses it for straying. An Edge TPU wants ``cnn``.

``cnn``: a network with nothing borrowed, of separable convolutions (Howard et al., "MobileNets", 2017,
https://arxiv.org/abs/1704.04861): 3x3 within each channel, then 1x1 across them, some 8 times less work than a full
3x3. Its mean over the map takes the place of the 51 million weights that hugonet spends on its first dense layer. ReLU
and batch normalisation after each convolution: both melt into it on export, and int8 suits it.

Both see aligned faces (``facesecure.vision.images.align``), 112x112: the eyes are where they always are, so that
nothing has to be learnt about position, and a quarter of hugonet's pixels show as much of the face.
"""

from __future__ import annotations

from typing import Any, Literal

from facesecure.domain.errors import UsageError
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.networks import mobilefacenet
from facesecure_training.networks.pixels import image_input, minus_one_to_one, require_at_least, scaled

SIDE = 112
CompactKind = Literal["head", "cnn"]
STEM = 16
BLOCKS: tuple[tuple[int, int], ...] = ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (128, 1), (256, 2), (256, 1))
"""(filters, stride) of each separable convolution."""
_SHARPNESS = 16.0


def compact(
    classes: int = 2, *, kind: CompactKind = "head", side: int = SIDE, width: float = 1.0, dropout: float = 0.0
) -> Any:
    """Aligned uint8 RGB faces (batch, side, side, 3) to float32 probabilities (batch, classes).

    ``width`` scales the filters of ``cnn``, ``dropout`` silences features in training. ``head`` holds the frozen
    embedder and is 112 wide. Raises UsageError for what cannot be built.
    """
    require_at_least(classes, 2, "the number of classes")
    if kind not in ("head", "cnn"):
        raise UsageError(f"there is no compact network of kind {kind!r}", "take head or cnn")
    return _on_embedder(classes, dropout, side) if kind == "head" else _separable(classes, side, width, dropout)


def head(classes: int, size: int, *, dropout: float = 0.0) -> Any:
    """What ``compact`` of kind ``head`` learns, alone: float32 embeddings (batch, size) to probabilities.

    Embed every photo once and teach this in seconds; then ``carry(head, compact(...))``.
    """
    keras = tensorflow().keras
    vector = keras.Input((size,), name="embedding")
    return keras.Model(vector, _softmax(vector, classes, dropout), name="head")


def copy_head_weights(source: Any, target: Any) -> None:
    """Put the weights of the softmax that ``source`` has learnt into ``target``."""
    target.get_layer("probabilities").set_weights(source.get_layer("probabilities").get_weights())


def _on_embedder(classes: int, dropout: float, side: int) -> Any:
    if side != mobilefacenet.SIDE:
        raise UsageError(
            f"the embedder sees {mobilefacenet.SIDE} pixels, not {side}", "leave --side out, or take kind cnn"
        )
    embedder = mobilefacenet.bundled()
    for layer in embedder.layers:
        layer.trainable = False
    probabilities = _softmax(embedder.output, classes, dropout)
    return tensorflow().keras.Model(embedder.input, probabilities, name="compact_head")


def _softmax(vector: Any, classes: int, dropout: float) -> Any:
    """Embeddings of length 1 are made ``_SHARPNESS`` long first, or the weights would have far to go."""
    layers = tensorflow().keras.layers
    x = layers.Rescaling(_SHARPNESS, name="sharper", dtype="float32")(vector)
    x = layers.Dropout(dropout, dtype="float32")(x) if dropout else x
    options = {"kernel_initializer": "zeros", "activation": "softmax", "dtype": "float32", "name": "probabilities"}
    return layers.Dense(classes, **options)(x)


def _separable(classes: int, side: int, width: float, dropout: float) -> Any:
    layers = tensorflow().keras.layers
    require_at_least(side, 32, "the side of the picture")
    image = image_input(side)
    x = _normalised(
        layers.Conv2D(scaled(STEM, width), 3, strides=2, padding="same", use_bias=False)(minus_one_to_one(image))
    )
    for filters, stride in BLOCKS:
        x = _normalised(layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x))
        x = _normalised(layers.Conv2D(scaled(filters, width), 1, use_bias=False)(x))
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dropout(dropout)(x) if dropout else x
    probabilities = layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)
    return tensorflow().keras.Model(image, probabilities, name="compact_cnn")


def _normalised(x: Any) -> Any:
    """Batch normalisation and ReLU. The running mean forgets in 20 steps, not 100: a household's epochs are short."""
    layers = tensorflow().keras.layers
    return layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))
