"""The classifier of the report this project grew out of, layer by layer: a small VGG on 224x224 images.

Blocks of 3x3 convolutions with ReLU, each block followed by a 2x2 maximum (the design of Simonyan and
Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015, https://arxiv.org/abs/1409.1556):

    224  3 -> 32
    112  32 -> 64, 64
     56  64 -> 128, 128, 128
     28  128 -> 256, 256, 256
     14  14 * 14 * 256 = 50,176 numbers -> 1024 -> 1024 -> classes

Weights begin as in He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", ICCV 2015 (https://arxiv.org/abs/1502.01852):
as Keras draws them by default, the network without normalisation answers with the largest class for hundreds of steps.

54,333,570 parameters for two classes, of which 51 million are in the first dense layer: that is why it takes 217 MB.
``compact`` does without it.
"""

from __future__ import annotations

from typing import Any

from facesecure.domain.errors import UsageError
from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.networks.pixels import image_input, require_at_least, scaled, zero_to_one

SIDE = 224
BLOCKS: tuple[tuple[int, ...], ...] = ((32,), (64, 64), (128, 128, 128), (256, 256, 256))
DENSE = (1024, 1024)


def hugonet(classes: int = 2, *, side: int = SIDE, width: float = 1.0, dropout: float = 0.0) -> Any:
    """Return the classifier: uint8 RGB (batch, side, side, 3) to float32 probabilities (batch, classes).

    The defaults are the report's; ``width`` scales the number of filters and of dense units, ``dropout`` is the share
    of dense units dropped in training. Raises UsageError for a ``side`` that cannot be halved four times.
    """
    require_at_least(classes, 2, "the number of classes")
    if side % 16 or side < 16:
        raise UsageError(f"hugonet cannot halve {side} pixels four times", "use a multiple of 16: 224, 112, 64")
    keras = tensorflow().keras
    image = image_input(side)
    x, begun = zero_to_one(image), {"kernel_initializer": "he_normal"}
    for number, block in enumerate(BLOCKS, 1):
        for filters in block:
            x = keras.layers.Conv2D(scaled(filters, width), 3, padding="same", activation="relu", **begun)(x)
        x = keras.layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = keras.layers.Reshape((int(x.shape[1] * x.shape[2] * x.shape[3]),), name="flat")(x)
    for units in DENSE:
        x = keras.layers.Dense(scaled(units, width), activation="relu", **begun)(x)
        x = keras.layers.Dropout(dropout)(x) if dropout else x
    probabilities = keras.layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(image, probabilities, name="hugonet")
