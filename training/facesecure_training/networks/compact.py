"""A classifier with less than 1/50 of the size and 1/20 of the time of ``hugonet``, in two kinds.

``head``: a softmax over the embedding of the network that the daemon ships anyway, trained on some 85,000 people. All
that is trained for a household is one weight vector per class, so ten photos are enough, and the loss is convex: it has
one minimum, found from zero. This is the linear probe of transfer learning (Donahue et al., "DeCAF", ICML 2014). It
reaches 1/20 of the time on LiteRT with its 1x1 kernels as int8 (``mixed8``); as float, 1/14. It can run in int8
throughout, but its embedder was not trained for that: the mean cosine with itself is 0.95, and an export refuses it for
deviating too far. Use ``cnn`` for an Edge TPU.

``cnn``: a network trained from scratch, of separable convolutions (Howard et al., "MobileNets", 2017,
https://arxiv.org/abs/1704.04861): 3x3 within each channel, then 1x1 across them, some 8 times less work than a full
3x3. Its mean over the map replaces the 51 million weights of hugonet's first dense layer. ReLU and batch normalisation
after each convolution: both are folded into it on export, and it suits int8.

Both take aligned faces (``facesecure.vision.images.align``), 112x112: the eyes are always at the same place, so that
nothing has to be trained about position, and a quarter of hugonet's pixels show as much of the face.
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
    """Return a classifier: aligned uint8 RGB faces (batch, side, side, 3) to float32 probabilities (batch, classes).

    ``width`` scales the filters of ``cnn``, ``dropout`` drops features in training. ``head`` contains the frozen
    embedder, whose input is 112 pixels wide. Raises UsageError for what cannot be built.
    """
    require_at_least(classes, 2, "the number of classes")
    if kind not in ("head", "cnn"):
        raise UsageError(f"there is no compact network of kind {kind!r}", "use head or cnn")
    return _on_embedder(classes, dropout, side) if kind == "head" else _separable(classes, side, width, dropout)


def head(classes: int, size: int, *, dropout: float = 0.0) -> Any:
    """Return the trainable part of ``compact`` of kind ``head``: float32 embeddings (batch, size) to probabilities.

    Embed every photo once, train this in seconds, then ``copy_head_weights(head, compact(...))``.
    """
    keras = tensorflow().keras
    vector = keras.Input((size,), name="embedding")
    return keras.Model(vector, _softmax(vector, classes, dropout), name="head")


def copy_head_weights(source: Any, target: Any) -> None:
    """Copy the weights of the trained softmax in ``source`` to ``target``."""
    target.get_layer("probabilities").set_weights(source.get_layer("probabilities").get_weights())


def _on_embedder(classes: int, dropout: float, side: int) -> Any:
    if side != mobilefacenet.SIDE:
        raise UsageError(
            f"the embedder takes {mobilefacenet.SIDE} pixels, not {side}", "omit --size, or use --kind cnn"
        )
    embedder = mobilefacenet.bundled()
    for layer in embedder.layers:
        layer.trainable = False
    probabilities = _softmax(embedder.output, classes, dropout)
    return tensorflow().keras.Model(embedder.input, probabilities, name="compact_head")


def _softmax(vector: Any, classes: int, dropout: float) -> Any:
    """Return the softmax layer on embeddings, scaled from length 1 to ``_SHARPNESS`` so that the weights stay small."""
    layers = tensorflow().keras.layers
    x = layers.Rescaling(_SHARPNESS, name="sharper", dtype="float32")(vector)
    x = layers.Dropout(dropout, dtype="float32")(x) if dropout else x
    options = {"kernel_initializer": "zeros", "activation": "softmax", "dtype": "float32", "name": "probabilities"}
    return layers.Dense(classes, **options)(x)


def _separable(classes: int, side: int, width: float, dropout: float) -> Any:
    layers = tensorflow().keras.layers
    require_at_least(side, 32, "the side of the image")
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
    """Apply batch normalisation and ReLU.

    The running mean spans some 20 steps instead of 100: a household's epochs are short.
    """
    from facesecure_training.networks.normalisation import FusedBatchNormalization

    return tensorflow().keras.layers.ReLU()(FusedBatchNormalization(momentum=0.95)(x))
