"""Detect a frozen stream: it hangs without an error and repeats the same image.

A real camera never sends the same image twice, at night least of all: its noise differs in every pixel. A compressed
stream hides that while it sends differences alone, so the images between two key frames may be equal; that is why the
default time is minutes. Single pixels are compared, not means of many, which would average the noise away.

A hanging stream does not always repeat one image: a few may alternate, each as its encoder left it. So each image is
compared with the last few that differed.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from facesecure.camera.health.features import Debounce
from facesecure.domain import Luma
from facesecure.domain.camera_events import Change

ACROSS = 160
"""Pixels compared in a row of the image."""
SAME = 0.002
"""Largest share of pixels that may differ, by any amount, between two images that count as the same."""
KEPT = 24
"""Images compared with: two seconds of a stream at 12 frames a second."""
FEATURELESS = 3.0
"""Standard deviation of brightness below which an image shows nothing: full darkness is the same for hours."""
THAWED = 3
"""New images in a row that end the trouble."""


class FrozenImage:
    """Detects that images have been the same for ``seconds``, and when they differ again.

    Example::

        change = FrozenImage(120.0).update(frame.luma, frame.taken_at)
    """

    def __init__(self, seconds: float) -> None:
        """``seconds`` of the same image until it is reported."""
        self._seconds = seconds
        self._kept: deque[Luma] = deque(maxlen=KEPT)
        self._same = Debounce()
        self._new = 0
        self._frozen = False

    def update(self, luma: Luma, at: float) -> Change | None:
        """Return the beginning or end of the trouble, if this is it. Call it every second or so.

        ``luma``: uint8 (height, width), any size; ``at``: the frame's time, seconds.
        """
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

    def _repeated(self, image: Luma) -> bool:
        if image.std() < FEATURELESS:
            return False
        if any(_same(image, kept) for kept in reversed(self._kept)):
            return True
        self._kept.append(image)
        return False


def points(luma: Luma) -> Luma:
    """Return every n-th pixel of ``luma``, about 160 in a row, without averaging."""
    step = max(1, luma.shape[1] // ACROSS)
    return np.ascontiguousarray(luma[step // 2 :: step, step // 2 :: step])


def _same(one: Luma, other: Luma) -> bool:
    return one.shape == other.shape and cv2.countNonZero(cv2.absdiff(one, other)) <= SAME * one.size
