"""What a door tells its household of a stranger's visit, as bytes to be sealed."""

from __future__ import annotations

import json
from typing import Any

from facesecure.domain.names import LONGEST_NAME
from facesecure.domain.notices import SeenStranger
from facesecure.hub.sync.embedding_text import embedding_from_text, embedding_text
from facesecure.hub.sync.json_document import parsed

_MODEL_DIGITS = 64


def encoded(seen: SeenStranger) -> bytes:
    """Return ``seen`` as bytes, without its identifier."""
    said: dict[str, Any] = {"kind": "stranger", "camera": seen.camera}
    if seen.embedding is not None:
        said |= {
            "embedding": embedding_text(seen.embedding),
            "clarity": seen.clarity,
            "model": seen.model_sha256,
        }
    return json.dumps(said).encode()


def decoded(identifier: str, plain: bytes) -> SeenStranger:
    """Return what ``encoded`` made bytes of. Raises ValueError for anything else, also if another door wrote it."""
    said = parsed(plain)
    if said.get("kind") != "stranger":
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
    return SeenStranger(identifier, camera, embedding_from_text(said["embedding"]), float(clarity), model)
