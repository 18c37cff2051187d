"""A siamese network: one network embeds two images, and the output is the distance of the embeddings.

Bromley et al., "Signature Verification using a 'Siamese' Time Delay Neural Network", NIPS 1993; for faces Chopra,
Hadsell and LeCun, "Learning a Similarity Metric Discriminatively, with Application to Face Verification", CVPR 2005.

There is *one* network with one set of weights, for both images. Its gradient is the sum over both, and their order
makes no difference. Both are embedded in one batch of twice the size, which takes a quarter less time on a CPU than two
batches; in training, batch normalisation is then over both. The daemon runs that one network alone.
"""

from __future__ import annotations

from typing import Any

from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.networks.contrastive import EPSILON, euclidean


def siamese(network: Any, *, epsilon: float = EPSILON) -> Any:
    """Return a model from two uint8 RGB images (batch, h, w, 3), in a tuple, to their float32 distances (batch,).

    ``network`` embeds one image and shares its weights with the returned model: train that, and export ``network``.
    ``epsilon`` is added inside the root (``networks.contrastive``).
    """
    keras = tensorflow().keras
    shape = network.input_shape[1:]
    first = keras.Input(shape, dtype="uint8", name="first")
    second = keras.Input(shape, dtype="uint8", name="second")
    embeddings = network(keras.ops.concatenate([first, second], axis=0))
    one, other = keras.ops.split(embeddings, 2, axis=0)
    distance = euclidean(one, other, epsilon)
    return keras.Model((first, second), distance, name=f"siamese_{network.name}")
