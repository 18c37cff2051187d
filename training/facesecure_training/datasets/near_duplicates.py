"""Drops crops that nearly repeat another: a person standing still in a video, a burst of photos."""

from __future__ import annotations

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image

Thumb = NDArray[np.int8]
"""The centre of a face as 16x16 grey values, of mean 0 and fixed length: int8 (256,)."""

_SIDE = 16
_LENGTH = 320.0
"""Length of a thumbnail's vector: one standard deviation is 20 steps, and 6 of them fit into int8."""
_MEMORY = 1000
"""Number of crops a new one is compared with: those kept last. What reappears after that many counts as new."""


class NearDuplicateFilter:
    """Admits a crop unless it nearly repeats one that was admitted before.

    Example::

        novel = NearDuplicateFilter(0.95)
        kept = [crop for crop in crops if novel.admits(thumbnail(crop))]
    """

    def __init__(self, similarity: float) -> None:
        """Treat crops that correlate more than ``similarity`` as duplicates; from 1 on all are admitted."""
        self._similarity = similarity
        self._kept = np.zeros((_MEMORY, _SIDE * _SIDE), np.float32)
        self._count = 0

    def admits(self, thumb: Thumb) -> bool:
        """Return whether the aligned face with this thumbnail shows something new."""
        if self._similarity >= 1:
            return True
        vector = thumb.astype(np.float32)
        vector /= max(1.0, float(np.linalg.norm(vector)))
        known = self._kept[: min(self._count, _MEMORY)]
        if self._count and float((known @ vector).max()) > self._similarity:
            return False
        self._kept[self._count % _MEMORY] = vector
        self._count += 1
        return True


def thumbnail(crop: Image) -> Thumb:
    """Return the thumbnail of an aligned face, uint8 RGB (112, 112, 3).

    It is the same in any light that only scales or offsets the brightness.
    """
    grey = cv2.cvtColor(crop[12:106, 12:100], cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    small -= small.mean()
    scaled = small * (_LENGTH / max(1e-6, float(np.linalg.norm(small))))
    return np.asarray(np.clip(np.rint(scaled), -127, 127), np.int8)


def near_duplicates(thumbs: NDArray[np.int8], similarity: float) -> list[int]:
    """Return the indices of the ``thumbs`` (n, 256) that correlate more than ``similarity`` with an earlier one."""
    vectors = thumbs.astype(np.float32)
    vectors /= np.maximum(1.0, np.linalg.norm(vectors, axis=1, keepdims=True))
    found = []
    for first in range(0, len(vectors), _MEMORY):
        block = vectors[first : first + _MEMORY] @ vectors[: first + _MEMORY].T
        earlier = np.tril(block, first - 1)
        found += [first + int(row) for row in np.flatnonzero(earlier.max(axis=1) > similarity)]
    return found


def packed(thumb: Thumb) -> str:
    """Encode ``thumb`` as text, for a line of JSON."""
    return base64.b64encode(thumb.tobytes()).decode()


def unpacked(text: str) -> Thumb:
    """Decode what ``packed`` returned. Raises ValueError if it is damaged."""
    thumb = np.frombuffer(base64.b64decode(text, validate=True), np.int8)
    if len(thumb) != _SIDE * _SIDE:
        raise ValueError(f"a thumbnail has {_SIDE * _SIDE} values, and not {len(thumb)}")
    return thumb
