"""Measure whether the surroundings of a face move rigidly with it, as on a picture that a hand holds up.

Between two frames, points on the face give the motion of the face, and points beside the head the motion of what is
around it (pyramidal Lucas and Kanade, Bouguet 2000). Behind a person in front of a fixed camera the background stays
where it is; on paper or a screen that moves, everything moves as one. If the rest of the image moves in the same way,
it is the camera that shakes, and says nothing. A picture that is held perfectly still, or that a person moves in (a
film), gives no sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Box, Luma

_FACE_WIDTH = 64.0
"""Pixels to which a face is reduced: less is lost in noise, more costs time."""
_REACH = 1.3
"""Face widths from the middle of the face to the edge of what is looked at, on both sides."""
_HEAD = 0.85
"""Face widths from the middle of the face within which hair and ears move with it: at 0.72, much hair looked like a
picture."""
_INNER = 0.42
"""Face widths, and heights, from the middle of the face within which its own points are taken."""
_ABOVE, _BELOW = 0.3, 0.1
"""Face heights above and below the face that are looked at: further down are the shoulders."""
_LEAST_MOTION = 1.0
"""Pixels of the reduced image by which the surroundings would move with the face: less is noise of the detector."""
_TOLERANCE = 0.3
"""Share of that motion by which a point may miss it."""
_SCENE_WIDTH = 320
_SHAKEN = 0.5
"""Share of the motion beside the face by which the rest of the image may miss it, if it is the camera that moves."""
_APART = 1.1
"""Half widths of what is looked at beside the face, beyond which the rest of the image begins."""
_MOST = 0.8
"""Share of the points beside the head that must move with the face, or must not: between, hair or a picture's edge is
in the way, and nothing follows."""
_LEAST_POINTS = 6
_MOST_POINTS = 40
_RETURN_ERROR = 0.5
"""Pixels by which a point may miss its place when it is followed there and back."""
_LONGEST_GAP = 0.5
"""Seconds between two frames that can be compared."""

Points = NDArray[np.float32]


class PairMotion(Enum):
    """The result for two frames: the face did not move, or its surroundings moved with it, or did not."""

    STILL = "still"
    TOGETHER = "together"
    APART = "apart"


@dataclass(frozen=True, slots=True, eq=False)
class FacePatch:
    """A face with what is beside it in one frame, reduced: some 70 KB that are kept instead of the frame.

    ``luma`` is uint8 (h, w); ``rows`` and ``columns`` are where it was in the frame, whose brightness has ``shape``.
    ``scene`` is the whole frame, reduced.
    """

    luma: Luma
    scene: Luma
    rows: slice
    columns: slice
    shape: tuple[int, ...]
    scale: float
    box: Box
    at: float

    @classmethod
    def of(cls, luma: Luma, box: Box, at: float) -> FacePatch | None:
        """Cut the face in ``box`` out of a frame's brightness ``luma``; None if too little of it is in the frame.

        ``at`` is the frame's time, seconds on the source's clock.
        """
        height, width = luma.shape
        middle, reach = box.centre[0], _REACH * box.width
        left, right = int(max(0.0, middle - reach)), int(min(float(width), middle + reach))
        top = int(max(0.0, box.top - _ABOVE * box.height))
        bottom = int(min(float(height), box.bottom + _BELOW * box.height))
        if right - left < 2 * _HEAD * box.width or bottom - top < box.height / 2:
            return None
        rows, columns, scale = slice(top, bottom), slice(left, right), min(1.0, _FACE_WIDTH / box.width)
        return cls(_reduced(luma[rows, columns], scale), _scene(luma), rows, columns, luma.shape, scale, box, at)


def compare(earlier: FacePatch, luma: Luma, at: float) -> PairMotion:
    """Return how the surroundings of a face moved until the frame with the brightness ``luma``, taken at ``at``.

    Frames more than half a second apart, or of another size, are not compared: STILL. Example::

        patch = FacePatch.of(first.luma, face.box, first.taken_at)
        compare(patch, second.luma, second.taken_at)
    """
    if not 0 < at - earlier.at <= _LONGEST_GAP or earlier.shape != luma.shape:
        return PairMotion.STILL
    later = _reduced(luma[earlier.rows, earlier.columns], earlier.scale)
    middle = (np.array(earlier.box.centre) - (earlier.columns.start, earlier.rows.start)) * earlier.scale
    inner, beside = _masks(earlier.luma.shape, middle, earlier.box, earlier.scale)
    face = _followed(earlier.luma, later, inner)
    if len(face[0]) < _LEAST_POINTS or _step(face) < _LEAST_MOTION / 2:
        return PairMotion.STILL
    around = _followed(earlier.luma, later, beside)
    found = _judged(face, around)
    if found is PairMotion.TOGETHER and _camera_shook(earlier, luma, around):
        return PairMotion.STILL
    return found


def _step(points: tuple[Points, Points]) -> float:
    """Return how far the points moved, in pixels: the median."""
    return float(np.median(np.linalg.norm(points[1] - points[0], axis=1)))


def _camera_shook(earlier: FacePatch, luma: Luma, around: tuple[Points, Points]) -> bool:
    """Return whether what is far from the face moved as ``around`` did, which is beside it."""
    scene = _scene(luma)
    zoom = scene.shape[1] / luma.shape[1]
    far = np.full(scene.shape, 255, np.uint8)
    reach = 0.5 * (earlier.columns.stop - earlier.columns.start) * zoom
    middle = earlier.box.centre[0] * zoom
    far[:, max(0, int(middle - _APART * reach)) : int(middle + _APART * reach)] = 0
    start, end = _followed(earlier.scene, scene, far)
    if len(start) < _LEAST_POINTS:
        return False
    moved = np.median(around[1] - around[0], axis=0) * (zoom / earlier.scale)
    missed = float(np.linalg.norm(np.median(end - start, axis=0) - moved))
    return missed < _SHAKEN * float(np.linalg.norm(moved))


def _scene(luma: Luma) -> Luma:
    """Return a copy of the whole frame, reduced to every nth pixel: it shows only whether the camera shakes."""
    step = max(1, luma.shape[1] // _SCENE_WIDTH)
    return luma[::step, ::step].copy()


def _reduced(luma: Luma, scale: float) -> Luma:
    """Return a copy of ``luma``, so that the frame can be freed."""
    if scale == 1.0:
        return luma.copy()
    return np.asarray(cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _masks(shape: tuple[int, ...], middle: NDArray[np.float64], box: Box, scale: float) -> tuple[Luma, Luma]:
    """Return where points of the face, and points beside the head, are searched: 255 there, else 0."""
    across = np.abs(np.arange(shape[1]) + 0.5 - middle[0]) / (box.width * scale)
    down = np.abs(np.arange(shape[0]) + 0.5 - middle[1]) / (box.height * scale)
    inner = (across[None, :] < _INNER) & (down[:, None] < _INNER)
    beside = np.broadcast_to(across[None, :] > _HEAD, shape)
    return inner.astype(np.uint8) * 255, beside.astype(np.uint8) * 255


def _followed(one: Luma, two: Luma, mask: Luma) -> tuple[Points, Points]:
    """Return points of ``one`` within ``mask``, and where they are in ``two``: each float32 (n, 2)."""
    nothing = np.empty((0, 2), np.float32)
    found = cv2.goodFeaturesToTrack(one, _MOST_POINTS, 0.02, 3, mask=mask)
    if found is None:
        return nothing, nothing
    size = {"winSize": (11, 11), "maxLevel": 2}
    there, ok, _ = cv2.calcOpticalFlowPyrLK(one, two, found, None, **size)  # type: ignore[call-overload]
    back, ok_back, _ = cv2.calcOpticalFlowPyrLK(two, one, there, None, **size)  # type: ignore[call-overload]
    returned = np.linalg.norm((back - found).reshape(-1, 2), axis=1) < _RETURN_ERROR
    good = returned & (ok.ravel() == 1) & (ok_back.ravel() == 1)
    return found.reshape(-1, 2)[good], there.reshape(-1, 2)[good]


def _judged(face: tuple[Points, Points], around: tuple[Points, Points]) -> PairMotion:
    if len(around[0]) < _LEAST_POINTS:
        return PairMotion.STILL
    motion, _ = cv2.estimateAffinePartial2D(*face, ransacReprojThreshold=1.0)
    if motion is None:
        return PairMotion.STILL
    expected = around[0] @ np.asarray(motion)[:, :2].T + np.asarray(motion)[:, 2]
    steps = np.linalg.norm(expected - around[0], axis=1)
    if float(np.median(steps)) < _LEAST_MOTION:
        return PairMotion.STILL
    missed = np.linalg.norm(expected - around[1], axis=1) / steps
    if float(np.quantile(missed, _MOST)) < _TOLERANCE:
        return PairMotion.TOGETHER
    return PairMotion.APART if float(np.quantile(missed, 1 - _MOST)) > _TOLERANCE else PairMotion.STILL
