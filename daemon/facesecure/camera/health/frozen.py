"""The same picture again and again: a stream that hangs, and says nothing of it.

A real camera's picture is never the same twice, at night least of all: its noise differs in every pixel. A compressed
stream hides that for as long as it sends differences alone, so the pictures between two whole ones may well be the
same; that is why the usual patience is minutes. Single points of the picture are compared, not means of many, which
would take the noise away.

A stream that hangs does not always repeat one picture: a few may come round, each as its encoder left it. So each
picture is compared with the last few that differed.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from facesecure.camera.health.features import Debounce
from facesecure.domain import Luma
from facesecure.domain.camera_events import Change

ACROSS = 160
"""Points compared in a row of the picture."""
SAME = 0.002
"""Share of points that may differ, in whatever degree, between two pictures that count as the same."""
KEPT = 24
"""Pictures that may come round: two seconds of a stream at 12 frames a second."""
FEATURELESS = 3.0
"""Standard deviation of brightness below which nothing is in the picture: full darkness is the same for hours."""
THAWED = 3
"""New pictures in a row that end it."""


class FrozenPicture:
    """Feed it a picture every second or so; says when they have been the same for ``seconds``, and when they differ."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: deque[Luma] = deque(maxlen=KEPT)
        self._same = Debounce()
        self._new = 0
        self._frozen = False

    def sees(self, luma: Luma, at: float) -> Change | None:
        """``luma``: uint8 (height, width), any size. ``at``: the frame's time, seconds."""
        repeated = self._repeated(points(luma))
        self._new = 0 if repeated else self._new + 1
        lasted = self._same.update(repeated, at)
        if not self._frozen and repeated and lasted >= self._seconds:
            self._frozen = True
            return Change(False, f"it has shown the very same picture for {lasted:.0f} s")
        if self._frozen and self._new >= THAWED:
            self._frozen = False
            return Change(True, "the picture changes again")
        return None

    def _repeated(self, picture: Luma) -> bool:
        if picture.std() < FEATURELESS:
            return False
        if any(_same(picture, kept) for kept in reversed(self._kept)):
            return True
        self._kept.append(picture)
        return False


def points(luma: Luma) -> Luma:
    """Every so manieth pixel of ``luma``, some 160 in a row, as they are."""
    step = max(1, luma.shape[1] // ACROSS)
    return np.ascontiguousarray(luma[step // 2 :: step, step // 2 :: step])


def _same(one: Luma, other: Luma) -> bool:
    return one.shape == other.shape and cv2.countNonZero(cv2.absdiff(one, other)) <= SAME * one.size
