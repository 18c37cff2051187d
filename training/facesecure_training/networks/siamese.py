"""A siamese network: one network looks at two pictures, and the answer is how far apart it puts them.

Bromley et al., "Signature Verification using a 'Siamese' Time Delay Neural Network", NIPS 1993; for faces Chopra,
Hadsell and LeCun, "Learning a Similarity Metric Discriminatively, with Application to Face Verification", CVPR 2005.

There is *one* network with one set of weights, applied twice. Its gradient is the sum of what both pictures say, and
which of the two comes first makes no difference. What the daemon runs afterwards is that one network alone.
"""

from __future__ import annotations

from typing import Any

from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.networks.contrastive import EPSILON, euclidean


def siamese(network: Any, *, epsilon: float = EPSILON) -> Any:
    """Two uint8 RGB pictures (batch, h, w, 3), in a tuple, to their float32 distances (batch,).

    ``network`` embeds one picture, and shares its weights with the model that is given back: train that, and export
    ``network``. ``epsilon`` stands inside the root (``losses.contrastive``).
    """
    keras = tensorflow().keras
    shape = network.input_shape[1:]
    first = keras.Input(shape, dtype="uint8", name="first")
    second = keras.Input(shape, dtype="uint8", name="second")
    distance = euclidean(network(first), network(second), epsilon)
    return keras.Model((first, second), distance, name=f"siamese_{network.name}")
