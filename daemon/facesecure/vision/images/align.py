"""Crop faces for networks: aligned by landmarks, or loose with their surroundings. Used by daemon and training alike.

``crop`` makes the aligned face: a similarity transform (rotation, uniform scale, shift) maps the five landmarks, in the
least-squares sense, onto ArcFace's template for 112x112 crops. Umeyama (1991) gives the transform in closed form,
"Least-squares estimation of transformation parameters between two point patterns", PAMI 13(4). ``square_crop`` cuts a
face with its surroundings, not rotated, for networks that were trained on such crops.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Box, Image, Landmarks

ALIGNMENT = "arcface-112-v1"
"""Name of the alignment of ``crop``. Model cards state it; the daemon refuses a model made for another."""

CROP = "loose-v1"
"""Name of the cropping of ``square_crop``. Model cards state it; the daemon refuses a model made for another."""

SIZE = 112
"""Side of an aligned face, pixels."""

# Published constants: the ArcFace template for 112x112 (Deng et al., CVPR 2019, and its reference code).
TEMPLATE: Landmarks = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float32,
)


def similarity(source: Landmarks, target: Landmarks = TEMPLATE) -> NDArray[np.float64]:
    """Return the 2x3 matrix of the similarity transform that maps ``source`` (n, 2) nearest to ``target`` (n, 2).

    It never mirrors. Raises ValueError if all source points coincide.
    """
    src, dst = source.astype(np.float64), target.astype(np.float64)
    src_mean, dst_mean = src.mean(0), dst.mean(0)
    src_c, dst_c = src - src_mean, dst - dst_mean
    variance = (src_c**2).sum() / len(src)
    if variance < 1e-12:
        raise ValueError("landmarks coincide; there is no face to align")
    u, singular, vt = np.linalg.svd(dst_c.T @ src_c / len(src))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0])
    rotation = u @ np.diag(sign) @ vt
    scale = float((singular * sign).sum() / variance)
    shift = dst_mean - scale * rotation @ src_mean
    return np.column_stack((scale * rotation, shift))


def crop(image: Image, landmarks: Landmarks) -> Image:
    """Return the aligned face, uint8 RGB (112, 112, 3), out of ``image`` (uint8 RGB).

    ``landmarks`` (5, 2) are in pixels of ``image``.
    What lies outside the image is black. A face more than twice as large as the crop is first reduced by area
    averaging, because a bilinear warp over a large step would alias. Raises ValueError if all landmarks coincide.
    """
    matrix = similarity(landmarks)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.5:
        image, matrix = _shrink(image, landmarks, scale)
    warped = cv2.warpAffine(image, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0))
    return np.asarray(warped, np.uint8)


def _shrink(image: Image, landmarks: Landmarks, scale: float) -> tuple[Image, NDArray[np.float64]]:
    """Cut a region around the face, reduce it to about the crop's scale, and return it with its own matrix.

    The crop's farthest corner is 0.82 of its side away from the landmarks' centre, however the face is turned.
    """
    centre = landmarks.mean(0)
    reach = 0.9 * SIZE / scale
    height, width = image.shape[:2]
    left, top = (int(max(0, v - reach)) for v in centre)
    right, bottom = int(min(width, centre[0] + reach)), int(min(height, centre[1] + reach))
    if right - left < 2 or bottom - top < 2:  # the landmarks lie outside: the crop will be black
        return image, similarity(landmarks)
    region = image[top:bottom, left:right]
    target = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    small = np.asarray(cv2.resize(region, target, interpolation=cv2.INTER_AREA), np.uint8)
    factor = np.array([target[0] / (right - left), target[1] / (bottom - top)])
    # Pixel centres: a point at x in the region is at (x + 0.5) * factor - 0.5 in the small image.
    moved = ((landmarks - (left, top) + 0.5) * factor - 0.5).astype(np.float32)
    return small, similarity(moved)


def square_crop(image: Image, face_box: Box, *, margin: float, size: tuple[int, int]) -> Image:
    """Return the face with its surroundings, uint8 RGB of ``size`` (height, width), out of ``image`` (uint8 RGB).

    The region is centred on ``face_box`` and has the proportions of ``size``. Its shorter side is the box's longer one
    plus ``margin`` of that on either side: 0.25 makes it one and a half times as long. What lies outside ``image`` is
    black. Reduced by area averaging, enlarged by bilinear interpolation; never stretched. Raises ValueError where
    ``margin`` is negative or ``size`` is empty.
    """
    if not margin >= 0 or min(size) < 1:
        raise ValueError(f"a crop needs a margin of 0 or more and a size, not {margin} and {size}")
    region = _cut(image, *_corner_and_sides(face_box, margin, size))
    shrinks = region.shape[0] > size[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(region, (size[1], size[0]), interpolation=how), np.uint8)


def _corner_and_sides(box: Box, margin: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return (top, left, height, width) of the region in whole pixels."""
    shorter = max(box.width, box.height) * (1 + 2 * margin)
    height, width = (max(1, round(shorter * side / min(size))) for side in size)
    across, down = box.centre
    return round(down - height / 2), round(across - width / 2), height, width


def _cut(image: Image, top: int, left: int, height: int, width: int) -> Image:
    """Return that region of ``image``, black where it lies outside."""
    inside = image[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
    if inside.shape[:2] == (height, width):
        return inside
    region = np.zeros((height, width, 3), np.uint8)
    down, across = max(0, -top), max(0, -left)
    region[down : down + inside.shape[0], across : across + inside.shape[1]] = inside
    return region
