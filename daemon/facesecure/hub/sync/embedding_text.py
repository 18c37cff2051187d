"""Embeddings in the documents of doors, as base64."""

from __future__ import annotations

import base64
import binascii
import math

import numpy as np

from facesecure.domain import Embedding

_MOST_VALUES = 4096
LONGEST = 4 * _MOST_VALUES * 4 // 3 + 4
"""Most characters of an embedding."""


def embedding_text(embedding: Embedding) -> str:
    """Return ``embedding`` as base64 of little-endian float32."""
    return base64.b64encode(np.asarray(embedding, dtype="<f4").tobytes()).decode()


def embedding_from_text(text: object) -> Embedding:
    """Return the embedding of base64. Raises ValueError unless its length is 1, as of every embedding."""
    if not isinstance(text, str):
        raise ValueError("not an embedding")
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not an embedding") from None
    if not content or len(content) % 4 or len(content) > 4 * _MOST_VALUES:
        raise ValueError("not an embedding")
    values = np.frombuffer(content, dtype="<f4").astype(np.float32)
    if not math.isclose(float(np.linalg.norm(values)), 1.0, abs_tol=1e-3):
        raise ValueError("not an embedding of length 1")
    return values
