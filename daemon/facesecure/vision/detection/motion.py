"""Detect motion, so that frames of an empty scene are not searched for faces.

The gate compares a small brightness image (160x90 for 1920x1080) with a background that adapts:
- small differences are learned within seconds, so dusk and clouds do not count;
- a difference that stands still is learned after ``ABSORB_AFTER`` seconds, so a parked car or a lamp stops counting,
  and a visitor who stands still for ten seconds does not;
- a change of light over the whole image, sudden or over seconds, is followed at once; one that is too strong to be
  followed (an overexposed or black image) resets the background and counts as movement once.
A difference counts only if it exceeds ``contrast``, and five times the image's own noise (but never more than
three times ``contrast``), in a patch of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.config import MotionConfig
from facesecure.config.areas import Area
from facesecure.domain import Luma
from facesecure.vision.detection.areas import WatchedArea

WIDTH = 160
"""Smallest width of the compared image, pixels; a person at the door is about ten of them wide."""
LEARN_SECONDS = 5.0
"""Time constant with which the background follows slow changes of light."""
ABSORB_AFTER = 15.0
"""Seconds after which a new object that stands still becomes part of the background."""
NOISE_FACTOR = 5.0
"""Standard deviations of noise above which a difference is not noise: one pixel in millions."""
LIGHT_SHARE = 0.5
"""If more of the image than this changes in the same way, the light has changed."""
EVERYTHING = 0.85
"""If more than this changes, in any way, the background is reset."""

_GAIN_STEP = 0.004
"""Relative change of brightness below which the light is left to slow learning."""

MAX_REGIONS = 8
"""Regions that are told apart; what moves beside so many, as leaves do, is in no region."""
_JOIN = 7
"""Pixels of the compared image across which parts of one region are joined: a shirt may look like the wall."""

_Plane = NDArray[np.float32]
Region = tuple[float, float, float, float]
"""Left, top, right and bottom, as fractions of the image."""
Change = tuple[Region, float]
"""A region, and the share of the whole image that differs in it."""


class MotionGate:
    """Decides for each frame whether something moves. Feed it every frame, in order.

    Movement counts inside ``zones``, or everywhere if there are none, and outside the mask of the configuration.
    ``skipped`` and ``passed`` count the decisions; ``level`` is the share (0 to 1) of the watched image that moved
    in the last frame; ``moving`` is the last frame's own result, without ``linger``; ``regions`` is where. Example::

        gate = MotionGate(config.motion)
        if gate.moved(frame.luma, frame.taken_at):
            faces = detector.detect(frame.image)
    """

    def __init__(self, config: MotionConfig, zones: Sequence[Area] = ()) -> None:
        self.skipped = 0
        self.passed = 0
        self.level = 0.0
        self.moving = False
        self._config = config
        self._area = WatchedArea(config.mask, zones)
        self._background: _Background | None = None
        self._watched: NDArray[np.bool_] = np.ones((1, 1), np.bool_)
        self._last_movement = float("-inf")

    def moved(self, luma: Luma, at: float) -> bool:
        """Return whether something moves in ``luma`` (uint8, any size), or did within the last ``linger`` seconds.

        ``at`` is the frame's time in seconds. The first frame, and the first of another size, count as movement, since
        there is no background yet to compare with. A disabled gate passes everything.
        """
        if not self._config.enabled:
            self.passed += 1
            return True
        self.moving = self._moves(shrink(luma), at)
        if self.moving:
            self._last_movement = at
        passes = self.moving or at - self._last_movement <= self._config.linger
        self.passed += passes
        self.skipped += not passes
        return passes

    @property
    def regions(self) -> tuple[Region, ...]:
        """Return the boxes around what differs from the empty scene in the latest frame, largest first.

        At most MAX_REGIONS; none where nothing differs. The whole image before there is a background to compare with,
        after a change of light that reset it, and where the gate is disabled. Computed on each call, in 0.1 ms.
        """
        if self._background is None:
            return ((0.0, 0.0, 1.0, 1.0),)
        return regions_of(self._background.changed & self._watched.view(np.uint8))

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return each region that differs from the empty scene, masked parts included, with how much of it does.

        None before there is a background to compare with, and where the light has changed. Computed on each call.
        """
        if self._background is None or (changed := self._background.changed).all():
            return ()
        return tuple((region, _filled(changed, region)) for region in regions_of(changed))

    def _moves(self, small: _Plane, at: float) -> bool:
        if self._background is None or self._background.shape != small.shape:
            self._watched = self._area.pixels(small.shape)
            self._background = _Background(small, at, self._watched, WatchedArea(self._config.mask).pixels(small.shape))
            self.level = 1.0
            return bool(self._watched.any())
        self.level = self._background.update(small, at, self._config.contrast)
        return self.level > self._config.threshold


class _Background:
    """The empty scene, adapting to light and to new objects.

    ``watched`` is where movement counts. A change of light is judged by all that is ``unmasked``, of which a zone may
    be so small a part that one person fills it.
    """

    def __init__(self, small: _Plane, at: float, watched: NDArray[np.bool_], unmasked: NDArray[np.bool_]) -> None:
        self.shape = small.shape
        self._watched, self._unmasked = watched, unmasked
        self._noise: float | None = None
        self._relearn(small, at)

    def _relearn(self, small: _Plane, at: float) -> None:
        self.changed: NDArray[np.uint8] = np.ones(self.shape, np.uint8)
        self._scene = small.copy()
        self._before = small
        self._still: _Plane = np.zeros(self.shape, np.float32)
        self._pending = False
        self._at = at

    def update(self, small: _Plane, at: float, contrast: float) -> float:
        """Adapt the background to ``small``. Return the share of the watched area that differed from it."""
        elapsed, self._at = max(0.0, at - self._at), at
        self._learn_noise(small, elapsed)
        self._follow_light(small, contrast)
        difference = np.abs(small - self._scene)
        self.changed = changed = self._changed(difference, contrast)
        share, overall = _share(changed, self._watched), _share(changed, self._unmasked)
        if overall > LIGHT_SHARE and self._is_light(small, overall, contrast):
            self._relearn(small, at)
            return share
        self._learn(small, changed, elapsed, contrast)
        return share

    def _follow_light(self, small: _Plane, contrast: float) -> None:
        """Make the background brighter or darker as a whole, as a cloud or the camera's exposure does.

        The median ignores changes in less than half of the image. Where a visitor fills more, brightening the
        background would not bring it nearer to the image, and it is left.
        """
        coarse, scene = small[::3, ::3], self._scene[::3, ::3]
        gain = np.float32(np.median((coarse + 1) / (scene + 1)))
        if abs(gain - 1) < _GAIN_STEP:
            return
        apart, closer = np.abs(coarse - scene) > contrast, np.abs(coarse - scene * gain) > contrast
        if np.count_nonzero(closer) <= np.count_nonzero(apart):
            self._scene *= gain

    def _changed(self, difference: _Plane, contrast: float) -> NDArray[np.uint8]:
        """Return 1 where the difference counts, without isolated pixels."""
        floor = min(max(contrast, NOISE_FACTOR * (self._noise or 0.0)), 3 * contrast)
        return np.asarray(cv2.medianBlur((difference > floor).view(np.uint8), 3), np.uint8)

    def _is_light(self, small: _Plane, share: float, contrast: float) -> bool:
        """Return whether making the old scene brighter or darker as a whole explains the change."""
        if share > EVERYTHING:
            return True
        gain = float(np.median((small[self._unmasked] + 1) / (self._scene[self._unmasked] + 1)))
        explained = self._changed(np.abs(small - self._scene * np.float32(gain)), contrast)
        return _share(explained, self._unmasked) < share / 3

    def _learn(self, small: _Plane, changed: NDArray[np.uint8], elapsed: float, contrast: float) -> None:
        """Learn small differences now, and larger ones once they have stood still for long enough."""
        cv2.accumulateWeighted(small, self._scene, 1 - exp(-elapsed / LEARN_SECONDS), mask=1 - changed)
        anything = cv2.countNonZero(changed) > 0
        if anything:
            steady = cv2.absdiff(small, self._before) <= contrast
            self._still = np.where((changed > 0) & steady, self._still + np.float32(elapsed), np.float32(0))
            absorbed = self._still >= ABSORB_AFTER
            self._scene[absorbed] = small[absorbed]
        elif self._pending:
            self._still.fill(0)
        self._pending = anything
        self._before = small

    def _learn_noise(self, small: _Plane, elapsed: float) -> None:
        """Measure the noise from frame to frame, so that a visitor who stands close and still is not counted.

        The median ignores movement in less than half of the image; 1.4826 scales it to a standard deviation.
        """
        now = 1.4826 * float(np.median(cv2.absdiff(small, self._before)[::3, ::3]))
        if self._noise is None:
            self._noise = now
        self._noise += (now - self._noise) * (1 - exp(-elapsed / LEARN_SECONDS))


def _share(changed: NDArray[np.uint8], area: NDArray[np.bool_]) -> float:
    """Return the share of ``area`` in which ``changed`` is 1."""
    return cv2.countNonZero(changed & area.view(np.uint8)) / max(1, cv2.countNonZero(area.view(np.uint8)))


def _filled(changed: NDArray[np.uint8], region: Region) -> float:
    """Return the pixels within ``region`` in which ``changed`` is 1, as a share of all."""
    height, width = changed.shape
    left, top, right, bottom = region
    part = changed[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]
    return cv2.countNonZero(part) / changed.size if part.size else 0.0


def regions_of(changed: NDArray[np.uint8]) -> tuple[Region, ...]:
    """Return the boxes around the parts of ``changed`` (uint8 (height, width), 0 or 1), largest area first.

    Parts that are nearer than _JOIN pixels are one. At most MAX_REGIONS are returned.
    """
    height, width = changed.shape
    joined = cv2.dilate(changed, np.ones((_JOIN, _JOIN), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined)
    boxes = sorted(stats[1:count].tolist(), key=lambda part: -part[cv2.CC_STAT_AREA])[:MAX_REGIONS]
    edge = _JOIN // 2  # by which it was dilated, except where it meets the edge of the image
    found = []
    for left, top, across, down, _ in boxes:
        right, bottom = left + across, top + down
        left, top = left and left + edge, top and top + edge
        right, bottom = right - edge * (right < width), bottom - edge * (bottom < height)
        found.append((left / width, top / height, right / width, bottom / height))
    return tuple(found)


def shrink(luma: Luma) -> _Plane:
    """Return ``luma`` reduced to 160 to 319 pixels across (never enlarged), float32 (height, width), slightly blurred.

    Each pixel is the mean over a run of one row; OpenCV is five times faster where that run is a whole number of
    pixels, and at 1920x1080 its twelve samples, with the blur, average the sensor's noise well enough.
    """
    step = max(1, luma.shape[1] // WIDTH)
    height, width = max(1, luma.shape[0] // step), luma.shape[1] // step
    rows = luma[: height * step : step, : width * step]
    if rows.strides[1] != 1:  # a view of a rotated or packed image; OpenCV needs adjacent pixels
        rows = np.ascontiguousarray(rows)
    small = cv2.resize(rows, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (3, 3), 0), np.float32)
