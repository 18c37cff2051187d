"""ArcFace: a softmax over people with an angular margin. Importing this module loads TensorFlow.

Deng, Guo, Xue and Zafeiriou, "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019,
https://arxiv.org/abs/1801.07698.

A softmax over people is satisfied as soon as a face is nearer to its own person than to any other, which leaves people
side by side with no gap. For faces that are not in the training data, the gap is what counts. So the task is made
harder: embedding and class directions have length 1, the class score is the cosine of the angle between them, and a
margin m is added to the angle of the *right* class before the cosine is taken. To win all the same, a face must come
nearer to its own direction than to every other by that angle. The scale s stretches the cosines, which lie in -1..1, so
that the softmax can become confident.
"""

from __future__ import annotations

import math
from typing import Any

from facesecure.domain.errors import UsageError
from facesecure_training.common.optional_dependencies import tensorflow

keras = tensorflow().keras
ops = keras.ops

MARGIN, SCALE = 0.5, 64.0
"""From the paper, in radians, for some ten thousand people; a scale of 16 to 32 suits a few hundred."""
_EPSILON = 1e-7


@keras.utils.register_keras_serializable("facesecure")
class CosineHead(keras.layers.Layer):  # type: ignore[name-defined,misc]
    """Cosines (batch, people) of embeddings (batch, n) to one trained direction per person; no bias, no length."""

    def __init__(self, people: int, **options: Any) -> None:
        super().__init__(**{"dtype": "float32", **options})
        self.people = people

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Create the directions for embeddings of ``shape``."""
        self.directions = self.add_weight((shape[-1], self.people), initializer="glorot_normal", name="directions")

    def call(self, embeddings: Any) -> Any:
        """Return the cosines (batch, people) of ``embeddings`` (batch, n)."""
        return ops.matmul(ops.normalize(embeddings, axis=-1), ops.normalize(self.directions, axis=0))

    def get_config(self) -> dict[str, Any]:
        """Return the configuration that Keras saves."""
        return {**super().get_config(), "people": self.people}


def with_margin(labels: Any, cosines: Any, margin: float = MARGIN) -> Any:
    """Return ``cosines`` (batch, people) with ``margin`` radians added to the angle of each row's own person.

    Beyond 180 degrees the cosine would rise again; there the score continues downwards in a straight line, as in the
    authors' code. ``labels`` are (batch,) or (batch, 1) integers.
    """
    cosines = ops.cast(cosines, "float32")
    own = ops.one_hot(ops.cast(ops.reshape(labels, (-1,)), "int32"), ops.shape(cosines)[-1], dtype="float32")
    sines = ops.sqrt(ops.maximum(1 - ops.square(cosines), _EPSILON))  # the root of 0 has no finite slope
    turned = cosines * math.cos(margin) - sines * math.sin(margin)
    beyond = cosines - margin * math.sin(margin)
    harder = ops.where(cosines > math.cos(math.pi - margin), turned, beyond)
    return own * harder + (1 - own) * cosines


class ArcFace:
    """The ArcFace loss, for ``compile(loss=...)``.

    Example::

        losses = ArcFace(margin=0.5, scale=32)(labels, cosines)
    """

    def __init__(self, margin: float = MARGIN, scale: float = SCALE) -> None:
        """Create the loss; a margin of 0 is the softmax of scaled cosines.

        Raises UsageError for values out of range.
        """
        if not 0 <= margin < math.pi / 2:
            raise UsageError(f"the margin is {margin}", "it is an angle in radians: 0 to 1.5, usually 0.5")
        if scale <= 0:
            raise UsageError(f"the scale is {scale}", "it must be above 0: 64 for many people, 16 to 32 for few")
        self.margin, self.scale = margin, scale
        self.__name__ = "arcface"

    def __call__(self, labels: Any, cosines: Any) -> Any:
        """Return the loss of each image, (batch,)."""
        scores = self.scale * with_margin(labels, cosines, self.margin)
        return keras.losses.sparse_categorical_crossentropy(ops.reshape(labels, (-1,)), scores, from_logits=True)
