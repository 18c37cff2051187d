"""Convert embeddings and qualities to and from the values of their columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from facesecure.domain import Embedding, Quality


def embedding_bytes(embedding: Embedding) -> bytes:
    """Return ``embedding`` as little-endian float32."""
    return embedding.astype("<f4").tobytes()


def embedding_from(data: bytes) -> Embedding:
    """Return the embedding, float32 (d,), that ``embedding_bytes`` made ``data`` of."""
    return np.frombuffer(data, "<f4").astype(np.float32)


def quality_from(document: dict[str, Any]) -> Quality:
    """Return the quality stored as a JSON object. Raises ValueError if it is none."""
    try:
        return Quality(**{**document, "reasons": tuple(document["reasons"])})
    except (KeyError, TypeError) as error:
        raise ValueError("its quality is damaged") from error
