"""The contrastive loss: pulls two images of one person together, and pushes those of two people apart.

Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", CVPR 2006. With d the Euclidean
distance of two embeddings, y = 0 for the same person and y = 1 for different ones, and a margin m:

    loss = (1 - y) * d^2 / 2  +  y * max(0, m - d)^2 / 2

Images of the same person attract each other like a spring. Different people's repel each other, but only while they are
nearer than m: otherwise the network could lower its loss without end by scaling the whole space up. With m = 2 the
natural threshold is half way, at 1.

The epsilon is added *inside* the root because d = sqrt(s) has an infinite slope at s = 0. In the first term the root is
squared away again (2 d * 1/(2 d)). In the second it is not: a *different* pair with equal embeddings, for instance two
black images, has the gradient infinity * 0, which is NaN, and one step later so has every weight. With sqrt(s +
epsilon) the slope there is finite. An epsilon added *outside* the root does not help.
"""

from __future__ import annotations

from typing import Any

from facesecure.domain.errors import UsageError
from facesecure_training.common.optional_dependencies import tensorflow

EPSILON = 1e-7
MARGIN = 2.0


def euclidean(first: Any, second: Any, epsilon: float = EPSILON) -> Any:
    """Return distances (batch,) of embeddings (batch, n), at least sqrt(epsilon) = 0.0003; float32 in any precision."""
    ops = tensorflow().keras.ops
    difference = ops.cast(first, "float32") - ops.cast(second, "float32")
    return ops.sqrt(ops.sum(ops.square(difference), axis=-1) + epsilon)


def contrastive(different: Any, distance: Any, margin: float = MARGIN) -> Any:
    """Return each pair's loss, (batch,): ``different`` is 0 for one person and 1 for two, ``distance`` is (batch,)."""
    ops = tensorflow().keras.ops
    y = ops.cast(ops.reshape(different, ops.shape(distance)), "float32")
    missing = ops.maximum(margin - distance, 0.0)
    return (1 - y) * ops.square(distance) / 2 + y * ops.square(missing) / 2


class Contrastive:
    """The contrastive loss with its margin, for ``compile(loss=...)``.

    Example::

        losses = Contrastive(2.0)(different, distance)
    """

    def __init__(self, margin: float = MARGIN) -> None:
        """Create the loss. Raises UsageError for a margin that is not above 0."""
        if margin <= 0:
            raise UsageError(f"the margin is {margin}", "it must be above 0: 2 puts the threshold at 1")
        self.margin = margin
        self.__name__ = "contrastive"

    def __call__(self, different: Any, distance: Any) -> Any:
        """Return the loss of each pair, (batch,)."""
        return contrastive(different, distance, self.margin)


def contrastive_in_batch(people: Any, embeddings: Any, margin: float = MARGIN) -> Any:
    """Return the loss of each of n images, (n,), compared with all others; ``embeddings`` are (n, d).

    Its pairs with the same person and with others weigh the same, as in the article's batches of pairs. Of the pairs
    with others only those within ``margin`` count: the mean over all would be near 0 as soon as most are apart, and the
    few that are confused would move nothing. ``people`` (n,) are integers.
    """
    ops = tensorflow().keras.ops
    distance = euclidean(embeddings[:, None, :], embeddings[None, :, :])
    same = ops.cast(people[:, None] == people[None, :], "float32")
    oneself = ops.eye(ops.shape(distance)[0], dtype="float32")
    near = (1 - same) * ops.cast(distance < margin, "float32")
    losses = contrastive(1 - same, distance, margin)
    return _mean_of(losses, same - oneself) + _mean_of(losses, near)


def _mean_of(values: Any, weights: Any) -> Any:
    """Return the mean of each row's values with weight 1, (n,); 0 where there is none."""
    ops = tensorflow().keras.ops
    return ops.sum(values * weights, axis=-1) / ops.maximum(ops.sum(weights, axis=-1), 1.0)
