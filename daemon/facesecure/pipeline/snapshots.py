"""Cut the snapshots of sightings out of frames: a face with its surroundings, or the whole scene."""

from __future__ import annotations

import cv2
import numpy as np

from facesecure.domain import Box, Image

_MARGIN = 1.0
"""A snapshot shows the face and this many face sizes on every side."""
_SCENE_WIDTH = 1280
"""Largest width of a snapshot of the whole scene, pixels."""


def scene(image: Image) -> tuple[Image, float]:
    """Return a copy of ``image`` (uint8 RGB), at most 1280 pixels wide, and its width by that of ``image``."""
    height, width = image.shape[:2]
    if width <= _SCENE_WIDTH:
        return image.copy(), 1.0
    scale = _SCENE_WIDTH / width
    size = (_SCENE_WIDTH, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def around_face(image: Image, box: Box) -> tuple[Image, Box]:
    """Return a copy of the face with its margin, and the face's box in it; a copy, so that the frame can be freed."""
    height, width = image.shape[:2]
    margin = _MARGIN * max(box.width, box.height)
    left, top = int(np.clip(box.left - margin, 0, width - 1)), int(np.clip(box.top - margin, 0, height - 1))
    right, bottom = (
        int(np.clip(box.right + margin, left + 1, width)),
        int(np.clip(box.bottom + margin, top + 1, height)),
    )
    moved = Box(box.left - left, box.top - top, box.right - left, box.bottom - top)
    return image[top:bottom, left:right].copy(), moved
