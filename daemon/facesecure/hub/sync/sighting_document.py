"""What a door tells its household of a stranger's visit, as bytes to be sealed."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Any

import numpy as np

from facesecure.domain import Embedding
from facesecure.domain.names import LONGEST_NAME
from facesecure.domain.notices import SeenStranger

_MOST_VALUES = 4096
_MODEL_DIGITS = 64


def encoded(seen: SeenStranger) -> bytes:
    """Return ``seen`` as bytes, without its identifier."""
    said: dict[str, Any] = {"kind": "stranger", "camera": seen.camera}
    if seen.embedding is not None:
        values = np.asarray(seen.embedding, dtype="<f4").tobytes()
        said |= {
            "embedding": base64.b64encode(values).decode(),
            "clarity": seen.clarity,
            "model": seen.model_sha256,
        }
    return json.dumps(said).encode()


def decoded(identifier: str, plain: bytes) -> SeenStranger:
    """Return what ``encoded`` made bytes of. Raises ValueError for anything else, also if another door wrote it."""
    said = json.loads(plain)
    if not isinstance(said, dict) or said.get("kind") != "stranger":
        raise ValueError("not a stranger's visit")
    camera = said.get("camera")
    if not isinstance(camera, str) or len(camera) > LONGEST_NAME:
        raise ValueError("not the name of a camera")
    if "embedding" not in said:
        return SeenStranger(identifier, camera)
    model, clarity = said.get("model"), said.get("clarity")
    if not isinstance(model, str) or len(model) != _MODEL_DIGITS:
        raise ValueError("not the digest of a model")
    if not isinstance(clarity, int | float) or not 0 <= clarity <= 1:
        raise ValueError("not a clarity")
    return SeenStranger(identifier, camera, _embedding(said["embedding"]), float(clarity), model)


def _embedding(text: object) -> Embedding:
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
