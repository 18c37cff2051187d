"""How well embeddings verify pairs of people left out of the training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from facesecure_training.datasets.folders import ClassFolder
from facesecure_training.datasets.loading import pair_batches
from facesecure_training.networks.contrastive import euclidean
from facesecure_training.recipes.augment import with_brightening
from facesecure_training.recipes.data import draw_pairs, verification_metrics


class PairValidation:
    """Pairs of the people of ``folder``, drawn once by ``seed``; called with a network, it returns its figures.

    Example::

        figures = PairValidation(folder, 2000, 0, {"size": (64, 64), "batch": 32})(embed)
    """

    def __init__(self, folder: ClassFolder, count: int, seed: int, options: dict[str, Any]) -> None:
        """``options`` are those of ``datasets.loading.pair_batches``. Raises FacesecureError as ``draw_pairs``."""
        self._pairs, self._options = draw_pairs(folder, count, (seed, 1)), options

    def __call__(self, embed: Callable[[Any], Any]) -> dict[str, float]:
        """Return area under the curve and accuracy; ``embed`` maps images (n, h, w, 3) to embeddings."""
        found = []
        for (first, second), different in pair_batches(self._pairs, augment=with_brightening(None), **self._options):
            found.append((euclidean(embed(first), embed(second)).numpy(), different.numpy()))
        distances, different = (np.concatenate(part) for part in zip(*found, strict=True))
        return verification_metrics(distances.astype(float), different)
