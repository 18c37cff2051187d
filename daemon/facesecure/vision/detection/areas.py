"""The part of the image that is watched: inside the zones, where there are any, and outside the mask.

An area is a rectangle (left, top, right, bottom) or a polygon, its corners (x, y) in order; all are fractions of the
image. What a polygon that crosses itself encloses is decided by the even-odd rule. A rectangle whose left is not left
of its right, or whose top is not above its bottom, encloses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.config.areas import Area, Rectangle
from facesecure.domain import Box

_Corners = NDArray[np.float64]
_SHIFT = 8
"""Bits behind the point in the coordinates that are given to OpenCV."""


@dataclass(frozen=True, slots=True)
class WatchedArea:
    """What is inside one of ``zones`` at least (everything, if there is none) and in no area of ``mask``.

    Example::

        area = WatchedArea(mask=[(0.0, 0.0, 0.3, 1.0)], zones=[[(0.1, 0.2), (0.9, 0.2), (0.5, 1.0)]])
        area.share_of(face.box, (1280, 720))  # 0.8
    """

    mask: Sequence[Area] = ()
    zones: Sequence[Area] = ()

    @property
    def is_everything(self) -> bool:
        """Return whether the whole image is watched."""
        return not self.mask and not self.zones

    def share_of(self, box: Box, size: tuple[int, int]) -> float:
        """Return the share (0 to 1) of ``box`` that is watched, exactly. ``size``: the image's (width, height)."""
        edges = np.array((box.left, box.top, box.right, box.bottom)) / (*size, *size)
        zones, mask = _near(self.zones, edges), _near(self.mask, edges)
        if self.zones and not zones:
            return 0.0
        if not mask and not zones:
            return 1.0
        outline = _corners((edges[0], edges[1], edges[2], edges[3]))
        whole = float(np.prod(edges[2:] - edges[:2]))
        return min(1.0, _Overlay([outline, *zones, *mask]).area(len(zones)) / whole)

    def pixels(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return True where an image of ``shape`` (height, width) is watched.

        That is every pixel which a zone touches, unless an area of the mask touches it.
        """
        keep = _covered(shape, self.zones) if self.zones else np.ones(shape, np.bool_)
        return keep & ~_covered(shape, self.mask)


def _is_rectangle(area: Area) -> bool:
    return not isinstance(area[0], Sequence)


def _corners(rectangle: Rectangle) -> _Corners:
    left, top, right, bottom = rectangle
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _near(areas: Sequence[Area], edges: NDArray[np.float64]) -> list[_Corners]:
    """Return the corners of those ``areas`` that may overlap the box with these ``edges``, each (n, 2)."""
    found = []
    for area in areas:
        flat = np.array(area, np.float64)
        if _is_rectangle(area) and not (flat[:2] < flat[2:]).all():
            continue
        corners = _corners((flat[0], flat[1], flat[2], flat[3])) if _is_rectangle(area) else flat
        if (corners.min(0) < edges[2:]).all() and (corners.max(0) > edges[:2]).all():
            found.append(corners)
    return found


def _covered(shape: tuple[int, int], areas: Sequence[Area]) -> NDArray[np.bool_]:
    """Return True for every pixel that one of ``areas`` touches."""
    height, width = shape
    covered = np.zeros(shape, np.uint8)
    for area in areas:
        if _is_rectangle(area):
            left, top, right, bottom = np.array(area, np.float64)
            covered[int(top * height) : ceil(bottom * height), int(left * width) : ceil(right * width)] = 1
        else:
            centres = np.array(area, np.float64) * (width, height) - 0.5  # OpenCV's pixels begin half a pixel earlier
            cv2.fillPoly(covered, [np.rint(centres * 2**_SHIFT).astype(np.int32)], (1,), shift=_SHIFT)
    return covered.view(np.bool_)


class _Overlay:
    """Polygons over each other, cut into horizontal strips in which no two of their edges cross.

    Within a strip the edges keep their order, so that what lies between two of them is a trapezium: its height times
    its width in the middle of the strip is its area.
    """

    def __init__(self, polygons: Sequence[_Corners]) -> None:
        self._begin = np.concatenate(polygons)
        self._end = np.concatenate([np.roll(polygon, -1, 0) for polygon in polygons])
        owners = np.repeat(np.arange(len(polygons)), [len(polygon) for polygon in polygons])
        self._owns = (owners[:, None] == np.arange(len(polygons))).astype(np.float64)  # (edges, polygons)
        (_, self._top), (_, self._bottom) = polygons[0].min(0), polygons[0].max(0)

    def area(self, zones: int) -> float:
        """Return the area inside the first polygon, inside one of the ``zones`` after it (if any), and in no other."""
        heights = np.unique(np.concatenate((self._begin[:, 1], self._crossings())).clip(self._top, self._bottom))
        middles = (heights[:-1] + heights[1:]) / 2
        at = np.sort(crossed := self._crossed(middles), 1)  # (strips, edges), infinite where an edge is not crossed
        with np.errstate(invalid="ignore"):
            widths, centres = np.diff(at, axis=1), (at[:, :-1] + at[:, 1:]) / 2
        passed = crossed[:, None, :] < centres[:, :, None]  # (strips, cells, edges)
        inside = (passed @ self._owns) % 2 == 1  # (strips, cells, polygons)
        wanted = inside[..., 0] & ~inside[..., 1 + zones :].any(-1)
        if zones:
            wanted &= inside[..., 1 : 1 + zones].any(-1)
        return float((np.where(wanted, widths, 0.0).sum(1) * np.diff(heights)).sum())

    def _crossings(self) -> NDArray[np.float64]:
        """Return the heights at which edges cross each other."""
        way = self._end - self._begin
        apart = self._begin[None] - self._begin[:, None]
        parallel = _cross(way[:, None], way[None])
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            along = _cross(apart, way[None]) / parallel
            across = _cross(apart, way[:, None]) / parallel
        meet = (along >= 0) & (along <= 1) & (across >= 0) & (across <= 1)
        first, _ = np.nonzero(meet)
        heights: NDArray[np.float64] = self._begin[first, 1] + along[meet] * way[first, 1]
        return heights

    def _crossed(self, heights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where each edge crosses each of ``heights``, (heights, edges); infinity where it does not."""
        (x, y), (to_x, to_y) = self._begin.T, self._end.T
        level = heights[:, None]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            at = x + (level - y) / (to_y - y) * (to_x - x)
        return np.where((np.minimum(y, to_y) < level) & (level < np.maximum(y, to_y)), at, np.inf)


def _cross(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]
    return product
