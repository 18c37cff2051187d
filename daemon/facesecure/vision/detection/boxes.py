"""Arrays of boxes and what every detector does with them: overlap, suppression, crops, and the domain's faces.

Boxes are float32 (n, 4) of left, top, right, bottom in pixels of the image. Pixel (0, 0) covers the square from 0 to 1,
so a box's width is right - left. ``shrink`` and ``cut`` bring an image, or squares out of it, to the input size of a
network; ``require_rgb`` checks a detector's input, and ``make_faces`` turns its arrays into ``domain.Face``.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Box, Face, Image

Boxes = NDArray[np.float32]
Scores = NDArray[np.float32]
Indices = NDArray[np.intp]

_NOTHING = np.float32(1e-30)
"""An area that is as good as none, to divide by."""


def areas(boxes: Boxes) -> NDArray[np.float32]:
    """Return the area of each box, (n,); 0 for one that is inside out."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def overlaps(boxes: Boxes, others: Boxes, *, of_smaller: bool = False) -> NDArray[np.float32]:
    """Return the overlap of every box with every other, (n, m), 0 to 1.

    Intersection over union; ``of_smaller`` gives intersection over the smaller of the two instead, which also
    sees a box that lies inside another. Boxes without area overlap nothing.
    """
    left, top, right, bottom = (boxes[:, None, side] for side in range(4))
    across = np.minimum(right, others[:, 2]) - np.maximum(left, others[:, 0])
    down = np.minimum(bottom, others[:, 3]) - np.maximum(top, others[:, 1])
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    mine, theirs = areas(boxes)[:, None], areas(others)
    whole = np.minimum(mine, theirs) if of_smaller else mine + theirs - shared
    return np.asarray(shared / np.maximum(whole, _NOTHING), np.float32)


def suppress(boxes: Boxes, scores: Scores, threshold: float, *, of_smaller: bool = False) -> Indices:
    """Return the indices of the boxes that greedy non-maximum suppression keeps, best score first.

    A box stays unless it overlaps one that stays, and scores no worse, by more than ``threshold``. Equal scores
    are taken in the order given, so the result never depends on chance.
    """
    order = strongest(scores, len(scores))
    covers = overlaps(boxes[order], boxes[order], of_smaller=of_smaller) > threshold
    alive = np.ones(len(order), bool)
    for rank in np.flatnonzero(np.triu(covers, 1).any(1)):
        if alive[rank]:
            alive[rank + 1 :] &= ~covers[rank, rank + 1 :]
    return np.asarray(order[alive], np.intp)


def strongest(scores: Scores, limit: int) -> Indices:
    """Return the indices of the ``limit`` best scores, best first; all of them if there are fewer."""
    return np.asarray(np.argsort(-scores, kind="stable")[:limit], np.intp)


def shifted(boxes: Boxes, offsets: NDArray[np.float32]) -> Boxes:
    """Move each edge by its offset (n, 4), in widths and heights of its box: MTCNN's box regression."""
    return np.asarray(boxes + offsets * np.tile(boxes[:, 2:] - boxes[:, :2], 2), np.float32)


def squared(boxes: Boxes, enlarge: float = 1.0) -> Boxes:
    """Return the square around each box's centre whose side is ``enlarge`` times the box's longer one."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.maximum(*(boxes[:, 2:] - boxes[:, :2]).T)[:, None] * (enlarge / 2)
    return np.asarray(np.hstack((centres - half, centres + half)), np.float32)


def usable(boxes: Boxes, width: int, height: int) -> NDArray[np.bool_]:
    """Return a mask (n,) of the boxes that are finite, at least a pixel large, and centred inside the image."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = ((centres >= 0) & (centres <= (width, height))).all(1)
    sized = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(1)
    return np.asarray(inside & sized & np.isfinite(boxes).all(1), np.bool_)


def shrink(image: Image, width: int, height: int, buffers: list[Image] | None = None) -> Image:
    """Return ``image`` at (height, width): halved while it is more than twice as large, then resized bilinearly.

    This averages as area resampling does, so nothing aliases, in a seventh of its time: OpenCV halves with SIMD, and
    goes pixel by pixel for any other factor (1080p to 576x324: 1.0 ms against 6.9 ms).

    ``buffers`` keep the memory for the next image of the same size, which overwrites the one returned. The daemon has
    large buffers mapped anew for each image, and then filling one takes longer than the resizing itself.
    """
    steps = _sizes(image.shape[1], image.shape[0], width, height)
    if buffers is None:
        buffers = []
    for number, (across, down) in enumerate(steps):
        if number == len(buffers):
            buffers.append(np.empty((down, across, 3), np.uint8))
        image = np.asarray(
            cv2.resize(image, (across, down), dst=buffers[number], interpolation=cv2.INTER_LINEAR), np.uint8
        )
    return image


def _sizes(width: int, height: int, wanted_width: int, wanted_height: int) -> list[tuple[int, int]]:
    """Return the (width, height) of each step from an image to the wanted size; none if it has it."""
    sizes = []
    while width > 2 * wanted_width and height > 2 * wanted_height:
        width, height = (width + 1) // 2, (height + 1) // 2
        sizes.append((width, height))
    if (width, height) != (wanted_width, wanted_height):
        sizes.append((wanted_width, wanted_height))
    return sizes


def whole_pixels(squares: Boxes) -> NDArray[np.intp]:
    """Return ``squares`` moved to the pixel grid, still square, int (n, 4); at least one pixel each."""
    sides = np.maximum(np.rint(squares[:, 2] - squares[:, 0]), 1)[:, None]
    corners = np.rint((squares[:, :2] + squares[:, 2:] - sides) / 2)
    return np.hstack((corners, corners + sides)).astype(np.intp)


def cut(image: Image, squares: NDArray[np.intp], side: int) -> Image:
    """Return the image inside each of ``squares`` (int (n, 4), may cross the edge), uint8 RGB (n, side, side, 3).

    What lies outside the image is black.
    """
    crops = np.empty((len(squares), side, side, 3), np.uint8)
    for crop, (left, top, right, bottom) in zip(crops, squares.tolist(), strict=True):
        crop[:] = shrink(_region(image, left, top, right, bottom), side, side)
    return crops


def _region(image: Image, left: int, top: int, right: int, bottom: int) -> Image:
    height, width = image.shape[:2]
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return image[top:bottom, left:right]
    region = np.zeros((bottom - top, right - left, 3), np.uint8)
    inner = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    y, x = max(-top, 0), max(-left, 0)
    region[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
    return region


def require_rgb(image: Image) -> None:
    """Raise ValueError unless ``image`` is uint8 (height, width, 3) with at least one pixel."""
    if not isinstance(image, np.ndarray):
        raise ValueError(f"a detector takes an array of uint8 RGB (height, width, 3), not {type(image).__name__}")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"a detector takes uint8 RGB (height, width, 3), not {image.dtype} {image.shape}")


def make_faces(boxes: Boxes, landmarks: NDArray[np.float32], scores: Scores) -> list[Face]:
    """Return faces, largest first, from boxes (n, 4), landmarks (n, 5, 2) and scores (n,).

    Scores are clipped to 0..1. Boxes without size or with values that are not finite are left out: for noise, a network
    may return a box that is inside out.
    """
    valid = ((boxes[:, 2:] > boxes[:, :2]).all(1)) & np.isfinite(boxes).all(1)
    valid &= np.isfinite(landmarks).all((1, 2)) & np.isfinite(scores)
    clipped = np.clip(scores, 0.0, 1.0)
    points = landmarks.astype(np.float32)
    return largest_first(Face(Box(*boxes[i].tolist()), points[i], float(clipped[i])) for i in np.flatnonzero(valid))


def largest_first(faces: Iterable[Face]) -> list[Face]:
    """Return ``faces`` by the area of their boxes, largest first; faces of equal size keep their order."""
    return sorted(faces, key=lambda face: -face.box.area)
