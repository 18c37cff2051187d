"""Parts of a batch side by side, each on a core of its own.

A small network keeps two cores busy for two thirds of the time: each of its some hundred operations is divided among
them, and waits for the slower half. Half of the batch for each core, through the whole network, has nothing to wait for
before the gradients are added. As with several machines, each part is normalised by itself.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from facesecure_training.common.optional_dependencies import tensorflow


class Replicas:
    """A keras.Model that computes each batch in ``count`` parts, and is the model itself in everything else.

    TensorFlow computes the parts at the same time where its operations may take turns on as many threads
    (``devices.prepare``). Example::

        model = Replicas(model, 2)
    """

    def __init__(self, model: Any, count: int) -> None:
        self._model, self._count = model, count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, images: Any, *, training: bool) -> Any:
        """Return what the model does for ``images``: a tensor (n, ...) or a tuple of such; so is the result."""
        tf = tensorflow()
        number = tf.shape(tf.nest.flatten(images)[0])[0]
        made = [self._model(part, training=training) for part in self._parts(images, number)]
        return tf.nest.map_structure(lambda *parts: tf.concat(parts, 0)[:number], *made)

    def _parts(self, images: Any, number: Any) -> list[Any]:
        """Return parts as equal as can be; where there are fewer images than parts, some are in two."""
        tf = tensorflow()
        whole = tf.maximum(number, self._count)
        bounds = [whole * index // self._count for index in range(self._count + 1)]
        rows = [tf.range(first, last) % number for first, last in pairwise(bounds)]
        return [tf.nest.map_structure(lambda images, some=some: tf.gather(images, some), images) for some in rows]


def in_parts(recipe: Any, count: int) -> None:
    """Have ``recipe`` compute each batch in ``count`` parts."""
    if count > 1:
        recipe.trained = Replicas(recipe.trained, count)
