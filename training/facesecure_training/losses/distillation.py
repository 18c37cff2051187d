"""Learning from a network that knows already (Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural
Network", 2015, https://arxiv.org/abs/1503.02531).

A label says who somebody is; the embedding of a good network says besides whom they look like. So the pupil is asked
to put every face where the teacher puts it. No labels are needed: any faces will do, and the two networks' embeddings
compare afterwards, because they are places in the same space.
"""

from __future__ import annotations

from typing import Any

from facesecure_training.extras import tensorflow
from facesecure_training.networks import mobilefacenet


def distillation(wanted: Any, found: Any) -> Any:
    """1 minus the cosine of the teacher's embeddings and the pupil's, both (batch, n): 0 to 2, (batch,)."""
    ops = tensorflow().keras.ops
    wanted, found = (ops.normalize(ops.cast(one, "float32"), axis=-1) for one in (wanted, found))
    return 1 - ops.sum(wanted * found, axis=-1)


def teacher() -> Any:
    """The bundled embedder, frozen: aligned uint8 RGB faces (batch, 112, 112, 3) to float32 (batch, 192)."""
    network = mobilefacenet.bundled()
    network.trainable = False
    return network
