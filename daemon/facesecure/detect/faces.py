"""From arrays to the domain's Face, and the check that every detector makes of its input."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from facesecure.detect.boxes import Boxes, Scores
from facesecure.domain import Box, Face, Image


def require_rgb(image: Image) -> None:
    """Raise ValueError unless ``image`` is uint8 (height, width, 3) with at least one pixel."""
    if not isinstance(image, np.ndarray):
        raise ValueError(f"a detector takes an array of uint8 RGB (height, width, 3), not {type(image).__name__}")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"a detector takes uint8 RGB (height, width, 3), not {image.dtype} {image.shape}")


def make_faces(boxes: Boxes, landmarks: NDArray[np.float32], scores: Scores) -> list[Face]:
    """Faces, largest first, from boxes (n, 4), landmarks (n, 5, 2) and scores (n,).

    Scores are held to 0..1. What has no size or is not finite is left out: a network that was shown noise may
    turn a box inside out.
    """
    sound = ((boxes[:, 2:] > boxes[:, :2]).all(1)) & np.isfinite(boxes).all(1)
    sound &= np.isfinite(landmarks).all((1, 2)) & np.isfinite(scores)
    held = np.clip(scores, 0.0, 1.0)
    points = landmarks.astype(np.float32)
    return largest_first(Face(Box(*boxes[i].tolist()), points[i], float(held[i])) for i in np.flatnonzero(sound))


def largest_first(faces: Iterable[Face]) -> list[Face]:
    """By area of the box; faces of equal size stay in the order given."""
    return sorted(faces, key=lambda face: -face.box.area)
