"""Ignore faces in the masked areas of the image, as movement is ignored there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Box, Face

_MOST = 0.5
"""Share of a face's box above which it lies in the mask: a visitor's face in front of a narrow masked road does not."""


class FaceMask:
    """Drops faces of which most lies in the ``mask`` rectangles (left, top, right, bottom, as fractions of the image).

    Example::

        faces = FaceMask([(0.0, 0.0, 0.3, 1.0)]).outside(detector.detect(image), (1280, 720))
    """

    def __init__(self, mask: Sequence[tuple[float, float, float, float]] = ()) -> None:
        self._mask = tuple(mask)

    def outside(self, faces: Sequence[Face], size: tuple[int, int]) -> Sequence[Face]:
        """Return the faces that count, in the same order. ``size``: the image's (width, height) in pixels."""
        if not self._mask:
            return faces
        masked = np.asarray(self._mask, np.float64) * (*size, *size)
        return [face for face in faces if covered_share(face.box, masked) <= _MOST]


def covered_share(box: Box, rectangles: NDArray[np.float64]) -> float:
    """Return the share (0 to 1) of ``box`` that the union of ``rectangles`` (n, 4: left, top, right, bottom) covers."""
    edges = (box.left, box.top, box.right, box.bottom)
    clipped = np.stack([rectangles[:, side].clip(edges[side % 2], edges[side % 2 + 2]) for side in range(4)], 1)
    xs, ys = np.unique(clipped[:, 0::2]), np.unique(clipped[:, 1::2])
    left, top, right, bottom = (clipped[:, side, None] for side in range(4))
    across = (left <= xs[:-1]) & (xs[1:] <= right)  # (n, cells)
    down = (top <= ys[:-1]) & (ys[1:] <= bottom)
    covered = (down[:, :, None] & across[:, None, :]).any(0)
    return float((covered * np.outer(np.diff(ys), np.diff(xs))).sum()) / box.area
