"""Pictures as the daemon shows them to an embedder: a dark face is brightened first, by the daemon's own code.

A network that learns, or stands on, embeddings of faces as they were taken would meet others at the door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facesecure.vision.light import brightened
from facesecure_training.extras import tensorflow

if TYPE_CHECKING:
    from facesecure_training.datasets.loading import Augment


def shown(augment: Augment | None) -> Augment:
    """``augment``, if there is any, and then the daemon's brightening: what the camera does comes before it."""

    def changed(image: Any, seed: Any) -> Any:
        taken = image if augment is None else augment(image, seed)
        return tensorflow().numpy_function(brightened, [taken], tensorflow().uint8, stateful=False)

    return changed
