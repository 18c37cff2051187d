"""Parts of the image, as the settings ``mask`` and ``zones`` give them: rectangles and polygons."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from facesecure.config.base import SettingError

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Point = tuple[Fraction, Fraction]
Rectangle = tuple[Fraction, Fraction, Fraction, Fraction]
Polygon = list[Point]
Area = Rectangle | Polygon
"""A part of the image in fractions of it: [left, top, right, bottom], or the corners [x, y] of a polygon."""

MOST_CORNERS = 100
_SHAPES = "[left, top, right, bottom], or the corners [[x, y], [x, y], [x, y]] of a polygon"


def _checked(area: Any) -> Any:
    """Say in plain words what is wrong with the shape of ``area``, which may be anything; or return it."""
    if not isinstance(area, list | tuple):
        raise SettingError(f"must be an area: {_SHAPES}")
    corners = [isinstance(part, list | tuple) for part in area]
    if any(corners) and not all(corners):
        at = corners.index(not corners[0])
        raise SettingError(f"mixes numbers and corners: an area is either {_SHAPES}", (at,))
    return _checked_polygon(area) if any(corners) else _checked_rectangle(area)


def _checked_rectangle(edges: Any) -> Any:
    if len(edges) != 4:
        raise SettingError(f"must be four numbers, [left, top, right, bottom], not {len(edges)}")
    _require_fractions(edges, ())
    return edges


def _checked_polygon(corners: Any) -> Any:
    if not 3 <= len(corners) <= MOST_CORNERS:
        bounds = "at least three" if len(corners) < 3 else f"at most {MOST_CORNERS}"
        raise SettingError(f"must have {bounds} corners [x, y] to be a polygon, not {len(corners)}")
    for number, corner in enumerate(corners):
        if len(corner) != 2:
            raise SettingError(f"must be a corner of two numbers, [x, y], not {len(corner)}", (number,))
        _require_fractions(corner, (number,))
    return corners


def _require_fractions(numbers: Any, within: tuple[int, ...]) -> None:
    for number, value in enumerate(numbers):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingError("must be a number", (*within, number))
        if not 0 <= value <= 1:
            shown = f"{value:g}" if isinstance(value, float) or abs(value) < 10**9 else "a larger number"
            raise SettingError(f"must be from 0 to 1, a fraction of the image, not {shown}", (*within, number))


def _encloses_something(area: Area) -> Area:
    """Refuse an area without any extent: a zone of which nothing is watched would be noticed too late."""
    if isinstance(area, tuple):
        left, top, right, bottom = area
        if left >= right or top >= bottom:
            raise SettingError("encloses nothing: the order is [left, top, right, bottom]")
    elif not any(_extents(area)):
        raise SettingError("encloses nothing: all of its corners lie on one line")
    return area


def _extents(corners: Polygon) -> Iterator[bool]:
    """Yield for each pair of corners whether the triangle that they make with the first one has an extent."""
    (x, y), *others = corners
    for (x1, y1), (x2, y2) in pairwise(others):
        yield abs((x1 - x) * (y2 - y) - (x2 - x) * (y1 - y)) > 1e-9


MaskArea = Annotated[Area, BeforeValidator(_checked)]
"""An area in which nothing counts; one that encloses nothing does no harm."""
Zone = Annotated[Area, BeforeValidator(_checked), AfterValidator(_encloses_something)]
"""An area that is watched; it encloses something."""
