"""The one place where a loose crop is cut: a face with its surroundings, upright as the camera saw it.

For networks that learnt on such crops; the daemon and the training package both call it. What is aligned by its
landmarks comes from ``vision.align``.
"""

from __future__ import annotations

import cv2
import numpy as np

from facesecure.domain import Box, Image

CROP = "loose-v1"
"""Name of this way of cutting. Model cards state it; the daemon refuses a model made for another."""


def square_crop(image: Image, face_box: Box, *, margin: float, size: tuple[int, int]) -> Image:
    """The face and what is around it: uint8 RGB (height, width, 3) of ``size`` (height, width), from uint8 RGB.

    The region lies about the middle of ``face_box``. It has the proportions of ``size`` (a square for a square), its
    shorter side is the box's longer one and ``margin`` of that more on either side: 0.25 makes it one and a half times
    as long. What lies outside ``image`` is black. Brought down by area averaging, up by bilinear interpolation; never
    stretched. Raises ValueError where ``margin`` is not at least 0 or ``size`` is empty.
    """
    if not margin >= 0 or min(size) < 1:
        raise ValueError(f"a crop needs a margin of 0 or more and a size, not {margin} and {size}")
    region = _cut(image, *_corner_and_sides(face_box, margin, size))
    shrinks = region.shape[0] > size[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(region, (size[1], size[0]), interpolation=how), np.uint8)


def _corner_and_sides(box: Box, margin: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """(top, left, height, width) of the region, whole pixels."""
    shorter = max(box.width, box.height) * (1 + 2 * margin)
    height, width = (max(1, round(shorter * side / min(size))) for side in size)
    across, down = box.centre
    return round(down - height / 2), round(across - width / 2), height, width


def _cut(image: Image, top: int, left: int, height: int, width: int) -> Image:
    """That region of ``image``, black where it lies outside."""
    inside = image[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
    if inside.shape[:2] == (height, width):
        return inside
    region = np.zeros((height, width, 3), np.uint8)
    down, across = max(0, -top), max(0, -left)
    region[down : down + inside.shape[0], across : across + inside.shape[1]] = inside
    return region
