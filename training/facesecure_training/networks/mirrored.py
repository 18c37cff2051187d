"""An embedder that looks at each face twice: as it is, and in a mirror.

A face and its mirror image are the same person, and what a network finds in one of them alone is chance. The sum of
both embeddings has less of that, for twice the time. The mirror image is computed in the network, so that whoever runs
it need not know.
"""

from __future__ import annotations

from typing import Any

from facesecure_training.common.optional_dependencies import tensorflow
from facesecure_training.networks.pixels import image_input, unit_length


def mirrored(network: Any) -> Any:
    """Return a model from uint8 RGB (batch, side, side, 3) to the sum of both embeddings, of length 1, (batch, n).

    ``network`` embeds the same images, and shares its weights with the returned model. Both are embedded in one batch.
    """
    keras = tensorflow().keras
    image = image_input(int(network.input_shape[1]))
    one, other = keras.ops.split(network(with_mirror_images(image)), 2, axis=0)
    return keras.Model(image, unit_length(one + other), name=f"mirrored_{network.name}")


def with_mirror_images(images: Any) -> Any:
    """Return ``images`` (batch, h, w, channels) and after them their mirror images, (2 * batch, h, w, channels)."""
    ops = tensorflow().keras.ops
    return ops.concatenate([images, ops.flip(images, axis=2)], axis=0)
