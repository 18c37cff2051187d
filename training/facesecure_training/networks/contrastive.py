"""The contrastive loss: pulls two pictures of one person together, and pushes those of two people apart.

Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", CVPR 2006. With d the Euclidean
distance of two embeddings, y = 0 for the same person and y = 1 for different ones, and a margin m:

    loss = (1 - y) * d^2 / 2  +  y * max(0, m - d)^2 / 2

The same person's pictures attract each other like a spring. Different people's repel each other, but only while they
are nearer than m: otherwise the network could lower its loss for ever by blowing the whole space up. With m = 2 the
natural place to draw the line is half way, at 1.

Why an epsilon stands *inside* the root: d = sqrt(s), and the slope of a root at s = 0 is infinite. The first term does
not mind, since there the root is squared away again (2 d * 1/(2 d)). The second does: a *different* pair with equal
embeddings, two black pictures will do, has the gradient infinity * 0, which is NaN, and one step later so has every
weight. With sqrt(s + epsilon) the slope there is finite. An epsilon added *outside* the root mends nothing.
"""

from __future__ import annotations

from typing import Any

from facesecure.domain.errors import UsageError
from facesecure_training.common.optional_dependencies import tensorflow

EPSILON = 1e-7
MARGIN = 2.0


def euclidean(first: Any, second: Any, epsilon: float = EPSILON) -> Any:
    """Distances (batch,) of embeddings (batch, n), at least sqrt(epsilon) = 0.0003; float32 in any precision."""
    ops = tensorflow().keras.ops
    difference = ops.cast(first, "float32") - ops.cast(second, "float32")
    return ops.sqrt(ops.sum(ops.square(difference), axis=-1) + epsilon)


def contrastive(different: Any, distance: Any, margin: float = MARGIN) -> Any:
    """The loss of each pair, (batch,): ``different`` is 0 for one person and 1 for two, ``distance`` is (batch,)."""
    ops = tensorflow().keras.ops
    y = ops.cast(ops.reshape(different, ops.shape(distance)), "float32")
    missing = ops.maximum(margin - distance, 0.0)
    return (1 - y) * ops.square(distance) / 2 + y * ops.square(missing) / 2


class Contrastive:
    """``contrastive`` with its margin, as ``compile(loss=...)`` takes it: Contrastive(2.0)(different, distance)."""

    def __init__(self, margin: float = MARGIN) -> None:
        """Raises UsageError for a margin that is not above 0."""
        if margin <= 0:
            raise UsageError(f"the margin is {margin}", "it must be above 0: 2 puts the threshold at 1")
        self.margin = margin
        self.__name__ = "contrastive"

    def __call__(self, different: Any, distance: Any) -> Any:
        return contrastive(different, distance, self.margin)
