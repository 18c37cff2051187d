"""The motion gate: while nothing moves, nothing is looked at, and an empty porch costs next to nothing.

It compares a small brightness picture (160x90 for 1920x1080) with a background that learns:
- what hardly differs is learned within seconds, so dusk and clouds pass;
- what differs but stands still is learned after ``ABSORB_AFTER`` seconds, so a parked car or a lamp stops counting,
  and a visitor who stands still for ten seconds does not;
- a change of light over the whole picture, sudden or over seconds, is followed at once; one that is too strong to be
  followed (a picture burnt out or black) is learned afresh and counts as movement once.
A difference counts only if it exceeds ``contrast``, and five times the picture's own noise (but never more than
three times ``contrast``), in a patch of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, exp

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.config import MotionConfig
from facesecure.domain import Luma

WIDTH = 160
"""Least pixels across of the picture that is compared; a person at the door is some ten of them wide."""
LEARN_SECONDS = 5.0
"""Time constant with which the background follows slow light."""
ABSORB_AFTER = 15.0
"""Seconds after which something new that stands still belongs to the background."""
NOISE_FACTOR = 5.0
"""A difference this many times the noise (as a standard deviation) is no noise: one pixel in millions."""
LIGHT_SHARE = 0.5
"""If more of the picture than this changes in the same way, it is the light."""
EVERYTHING = 0.85
"""If more than this changes, in whatever way, there is nothing left to compare with."""

_GAIN_STEP = 0.004
"""A change of light as a whole smaller than this is left to slow learning."""

_Plane = NDArray[np.float32]


class MotionGate:
    """Says for each frame whether to look at it. Feed it every frame, in order.

    ``skipped`` and ``passed`` count the answers; ``level`` is the share (0 to 1) of the unmasked picture that moved
    in the last frame; ``moving`` is the last frame's own answer, before ``linger``.
    """

    def __init__(self, config: MotionConfig) -> None:
        self.skipped = 0
        self.passed = 0
        self.level = 0.0
        self.moving = False
        self._config = config
        self._background: _Background | None = None
        self._watched: NDArray[np.bool_] = np.ones((1, 1), np.bool_)
        self._last_movement = float("-inf")

    def moved(self, luma: Luma, at: float) -> bool:
        """Whether something moves in ``luma`` (uint8, any size), or did within the last ``linger`` seconds.

        ``at`` is the frame's time in seconds. The first frame, and the first of another size, count as movement:
        there is nothing yet to tell whether somebody stands there. A gate that is not enabled passes everything.
        """
        if not self._config.enabled:
            self.passed += 1
            return True
        self.moving = self._moves(shrink(luma), at)
        if self.moving:
            self._last_movement = at
        looks = self.moving or at - self._last_movement <= self._config.linger
        self.passed += looks
        self.skipped += not looks
        return looks

    def _moves(self, small: _Plane, at: float) -> bool:
        if self._background is None or self._background.shape != small.shape:
            self._watched = watched(small.shape, self._config.mask)
            self._background = _Background(small, at, self._watched)
            self.level = 1.0
            return bool(self._watched.any())
        self.level = self._background.update(small, at, self._config.contrast)
        return self.level > self._config.threshold


class _Background:
    """What the scene looks like when nobody is there."""

    def __init__(self, small: _Plane, at: float, watched: NDArray[np.bool_]) -> None:
        self.shape = small.shape
        self._watched = watched
        self._area = max(1, int(watched.sum()))
        self._noise: float | None = None
        self._relearn(small, at)

    def _relearn(self, small: _Plane, at: float) -> None:
        self._scene = small.copy()
        self._before = small
        self._still: _Plane = np.zeros(self.shape, np.float32)
        self._waits = False
        self._at = at

    def update(self, small: _Plane, at: float, contrast: float) -> float:
        """The share of the watched area that differs from the background; the background learns from ``small``."""
        elapsed, self._at = max(0.0, at - self._at), at
        self._learn_noise(small, elapsed)
        self._follow_light(small, contrast)
        difference = np.abs(small - self._scene)
        changed = self._changed(difference, contrast)
        share = self._share(changed)
        if share > LIGHT_SHARE and self._is_light(small, share, contrast):
            self._relearn(small, at)
            return share
        self._learn(small, changed, elapsed, contrast)
        return share

    def _follow_light(self, small: _Plane, contrast: float) -> None:
        """Make the background brighter or darker as a whole, as a cloud or the camera's exposure does.

        The median is blind to what changes in less than half of the picture. Where a visitor fills more, brightening
        the background would not bring it nearer to the picture, and it stays.
        """
        coarse, scene = small[::3, ::3], self._scene[::3, ::3]
        gain = np.float32(np.median((coarse + 1) / (scene + 1)))
        if abs(gain - 1) < _GAIN_STEP:
            return
        apart, closer = np.abs(coarse - scene) > contrast, np.abs(coarse - scene * gain) > contrast
        if np.count_nonzero(closer) <= np.count_nonzero(apart):
            self._scene *= gain

    def _changed(self, difference: _Plane, contrast: float) -> NDArray[np.uint8]:
        """1 where the difference counts, after lone pixels are wiped out."""
        floor = min(max(contrast, NOISE_FACTOR * (self._noise or 0.0)), 3 * contrast)
        return np.asarray(cv2.medianBlur((difference > floor).view(np.uint8), 3), np.uint8)

    def _share(self, changed: NDArray[np.uint8]) -> float:
        return float(cv2.countNonZero(changed & self._watched.view(np.uint8))) / self._area

    def _is_light(self, small: _Plane, share: float, contrast: float) -> bool:
        """Whether the change goes away when the old scene is made brighter or darker as a whole."""
        if share > EVERYTHING:
            return True
        gain = float(np.median((small[self._watched] + 1) / (self._scene[self._watched] + 1)))
        explained = self._changed(np.abs(small - self._scene * np.float32(gain)), contrast)
        return self._share(explained) < share / 3

    def _learn(self, small: _Plane, changed: NDArray[np.uint8], elapsed: float, contrast: float) -> None:
        """What hardly differs now; what differs once it has stood still for long enough."""
        cv2.accumulateWeighted(small, self._scene, 1 - exp(-elapsed / LEARN_SECONDS), mask=1 - changed)
        anything = cv2.countNonZero(changed) > 0
        if anything:
            steady = cv2.absdiff(small, self._before) <= contrast
            self._still = np.where((changed > 0) & steady, self._still + np.float32(elapsed), np.float32(0))
            absorbed = self._still >= ABSORB_AFTER
            self._scene[absorbed] = small[absorbed]
        elif self._waits:
            self._still.fill(0)
        self._waits = anything
        self._before = small

    def _learn_noise(self, small: _Plane, elapsed: float) -> None:
        """From frame to frame, because a visitor who stands close and still is no noise.

        The median is blind to what moves in less than half of the picture; 1.4826 makes it a standard deviation.
        """
        now = 1.4826 * float(np.median(cv2.absdiff(small, self._before)[::3, ::3]))
        if self._noise is None:
            self._noise = now
        self._noise += (now - self._noise) * (1 - exp(-elapsed / LEARN_SECONDS))


def shrink(luma: Luma) -> _Plane:
    """``luma`` brought down to 160 to 319 pixels across (never up), float32 (height, width), a little blurred.

    Each pixel is the mean over a run of one row; OpenCV is five times faster where that run is a whole number of
    pixels, and at 1920x1080 its twelve samples, with the blur, average the sensor's noise well enough.
    """
    step = max(1, luma.shape[1] // WIDTH)
    height, width = max(1, luma.shape[0] // step), luma.shape[1] // step
    rows = luma[: height * step : step, : width * step]
    if rows.strides[1] != 1:  # a rotated or packed picture's view; OpenCV wants pixels side by side
        rows = np.ascontiguousarray(rows)
    small = cv2.resize(rows, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (3, 3), 0), np.float32)


def watched(shape: tuple[int, int], mask: Sequence[tuple[float, float, float, float]]) -> NDArray[np.bool_]:
    """True where movement counts: not in the ``mask`` rectangles (left, top, right, bottom, as fractions)."""
    height, width = shape
    keep = np.ones(shape, np.bool_)
    for left, top, right, bottom in mask:
        keep[int(top * height) : ceil(bottom * height), int(left * width) : ceil(right * width)] = False
    return keep
