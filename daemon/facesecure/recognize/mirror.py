"""A face seen twice: as it is, and in the mirror."""

from __future__ import annotations

import numpy as np

from facesecure.domain import Embedding, Image
from facesecure.stages import Embedder


def embed_both(embedder: Embedder, face: Image) -> Embedding:
    """The direction of the mean of a face and its mirror image: float32 (n,) of length 1.

    ``face`` is an aligned crop, uint8 RGB (112, 112, 3). Twice the work, for enrolment, where nobody waits.
    """
    mean = embedder.embed(face) + embedder.embed(np.ascontiguousarray(face[:, ::-1]))
    return np.asarray(mean / np.linalg.norm(mean), np.float32)
