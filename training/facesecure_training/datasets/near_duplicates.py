"""Leaving out crops that show what another one shows: a film of somebody standing still, a burst of photos."""

from __future__ import annotations

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image

Thumb = NDArray[np.int8]
"""The middle of a face in 16x16 greys, of mean 0 and one length: int8 (256,)."""

_SIDE = 16
_LENGTH = 320.0
"""Of a thumbnail's vector: a deviation is 20 steps, and 6 of them fit into int8."""
_MEMORY = 1000
"""Crops that a new one is compared with: those kept last. What comes again after that many is a new look."""


class NearDuplicateFilter:
    """Lets a crop pass unless it is nearly one that passed before."""

    def __init__(self, likeness: float) -> None:
        """``likeness``: correlation, above which two crops count as one; from 1 on all pass."""
        self._likeness = likeness
        self._kept = np.zeros((_MEMORY, _SIDE * _SIDE), np.float32)
        self._count = 0

    def admits(self, thumb: Thumb) -> bool:
        """Whether the aligned face with this thumbnail shows something new."""
        if self._likeness >= 1:
            return True
        vector = thumb.astype(np.float32)
        vector /= max(1.0, float(np.linalg.norm(vector)))
        known = self._kept[: min(self._count, _MEMORY)]
        if self._count and float((known @ vector).max()) > self._likeness:
            return False
        self._kept[self._count % _MEMORY] = vector
        self._count += 1
        return True


def thumbnail(crop: Image) -> Thumb:
    """Of an aligned face, uint8 RGB (112, 112, 3): the same in any light that only scales or lifts it."""
    grey = cv2.cvtColor(crop[12:106, 12:100], cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    small -= small.mean()
    scaled = small * (_LENGTH / max(1e-6, float(np.linalg.norm(small))))
    return np.asarray(np.clip(np.rint(scaled), -127, 127), np.int8)


def packed(thumb: Thumb) -> str:
    """As text, for a line of JSON."""
    return base64.b64encode(thumb.tobytes()).decode()


def unpacked(text: str) -> Thumb:
    """What ``packed`` made of it."""
    return np.frombuffer(base64.b64decode(text), np.int8)
