"""Boxes as arrays: float32 (n, 4) of left, top, right, bottom in pixels of the image, all of them at once.

Pixel (0, 0) covers the square from 0 to 1, so a box's width is simply right - left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
Scores = NDArray[np.float32]
Indices = NDArray[np.intp]


def areas(boxes: Boxes) -> NDArray[np.float32]:
    """Area of each box, (n,); 0 for one that is inside out."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def overlaps(boxes: Boxes, others: Boxes, *, of_smaller: bool = False) -> NDArray[np.float32]:
    """Overlap of every box with every other, (n, m), 0 to 1.

    Intersection over union; ``of_smaller`` gives intersection over the smaller of the two instead, which also
    sees a box that lies inside another. Boxes without area overlap nothing.
    """
    corner = np.maximum(boxes[:, None, :2], others[None, :, :2])
    opposite = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    sides = np.maximum(opposite - corner, 0)
    shared = sides[..., 0] * sides[..., 1]
    mine, theirs = areas(boxes)[:, None], areas(others)[None, :]
    whole = np.minimum(mine, theirs) if of_smaller else mine + theirs - shared
    return np.asarray(np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0), np.float32)


def suppress(boxes: Boxes, scores: Scores, threshold: float, *, of_smaller: bool = False) -> Indices:
    """Greedy non-maximum suppression: indices of the boxes that stay, best score first.

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
    """Indices of the ``limit`` best scores, best first; all of them if there are fewer."""
    return np.asarray(np.argsort(-scores, kind="stable")[:limit], np.intp)


def shifted(boxes: Boxes, offsets: NDArray[np.float32]) -> Boxes:
    """Each edge moved by its offset (n, 4), in widths and heights of its box: MTCNN's box regression."""
    return np.asarray(boxes + offsets * np.tile(boxes[:, 2:] - boxes[:, :2], 2), np.float32)


def squared(boxes: Boxes, enlarge: float = 1.0) -> Boxes:
    """The square around each box's centre whose side is ``enlarge`` times the box's longer one."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.maximum(*(boxes[:, 2:] - boxes[:, :2]).T)[:, None] * (enlarge / 2)
    return np.asarray(np.hstack((centres - half, centres + half)), np.float32)


def usable(boxes: Boxes, width: int, height: int) -> NDArray[np.bool_]:
    """Which boxes are finite, at least a pixel large, and have their centre inside the picture, (n,)."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = ((centres >= 0) & (centres <= (width, height))).all(1)
    sized = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(1)
    return np.asarray(inside & sized & np.isfinite(boxes).all(1), np.bool_)
