"""What is watched: rectangles and polygons, their overlaps, and zones with a mask in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facesecure.config.areas import Area, Point, Rectangle
from facesecure.domain import Box
from facesecure.vision.detection.areas import WatchedArea

SIZE = (1000, 500)
WHOLE = Box(0, 0, 1000, 500)
TRIANGLE: list[Point] = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]
ELL: list[Point] = [(0.0, 0.0), (0.4, 0.0), (0.4, 0.6), (1.0, 0.6), (1.0, 1.0), (0.0, 1.0)]
"""Concave: the left 40 % and the lower 40 % of the image."""
BOW_TIE: list[Point] = [(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)]

FRACTIONS = st.floats(0, 1)
RECTANGLES = st.lists(st.tuples(FRACTIONS, FRACTIONS, FRACTIONS, FRACTIONS), max_size=4)
POLYGONS = st.lists(st.lists(st.tuples(FRACTIONS, FRACTIONS), min_size=3, max_size=7), max_size=3)


def masked(*mask: Area, box: Box = WHOLE) -> float:
    return 1 - WatchedArea(mask).share_of(box, SIZE)


def zoned(*zones: Area, box: Box = WHOLE) -> float:
    return WatchedArea(zones=zones).share_of(box, SIZE)


@pytest.mark.parametrize("share", [masked, zoned])
@pytest.mark.parametrize(
    ("areas", "expected"),
    [
        ([(0.1, 0.2, 0.4, 0.8)], 0.18),
        ([TRIANGLE], 0.5),
        ([ELL], 0.4 + 0.6 * 0.4),
        ([BOW_TIE], 0.5),
        ([TRIANGLE, TRIANGLE], 0.5),
        ([TRIANGLE, [(1.0, 1.0), (1.0, 0.0), (0.0, 1.0)]], 1.0),
        ([TRIANGLE, (0.0, 0.0, 0.5, 0.5)], 0.5),  # which lies in the triangle
        ([ELL, (0.2, 0.0, 0.7, 1.0)], 0.64 + 0.3 * 0.6),
        ([[(0.5, 0.5), (0.6, 0.5), (0.7, 0.5)]], 0.0),  # a line
        ([(0.9, 0.1, 0.1, 0.9), (0.5, 0.5, 0.5, 0.9)], 0.0),  # the wrong way round, and empty
    ],
)
def test_the_share_of_areas_is_exact(share: Callable[..., float], areas: Sequence[Area], expected: float) -> None:
    assert share(*areas) == pytest.approx(expected, abs=1e-12)


def test_a_box_in_the_notch_of_a_concave_polygon_is_outside_it() -> None:
    assert masked(ELL, box=Box(500, 50, 900, 250)) == 0
    assert masked(ELL, box=Box(300, 200, 500, 400)) == pytest.approx(0.75)


def test_a_box_that_reaches_over_the_edge_of_the_image_is_watched_there() -> None:
    assert masked((0.0, 0.0, 1.0, 1.0), box=Box(-50, 100, 50, 200)) == pytest.approx(0.5)
    assert zoned((0.0, 0.0, 1.0, 1.0), box=Box(-50, 100, 50, 200)) == pytest.approx(0.5)


def test_the_mask_is_cut_out_of_the_zones() -> None:
    area = WatchedArea(mask=[(0.0, 0.0, 0.5, 1.0)], zones=[TRIANGLE])
    assert area.share_of(WHOLE, SIZE) == pytest.approx(0.125)
    assert not WatchedArea(mask=[(0.0, 0.0, 1.0, 1.0)], zones=[TRIANGLE]).share_of(WHOLE, SIZE)


def test_a_box_far_from_every_zone_is_not_watched_and_one_far_from_the_mask_is() -> None:
    small = Box(900, 10, 950, 60)
    assert zoned((0.0, 0.0, 0.5, 1.0), box=small) == 0
    assert masked((0.0, 0.0, 0.5, 1.0), box=small) == 0


def union_of_cells(box: Box, rectangles: NDArray[np.float64]) -> float:
    """Return the share of ``box`` that ``rectangles`` (n, 4) in pixels cover, cell by cell between the edges."""
    edges = (box.left, box.top, box.right, box.bottom)
    clipped = np.stack([rectangles[:, side].clip(edges[side % 2], edges[side % 2 + 2]) for side in range(4)], 1)
    xs, ys = np.unique(clipped[:, 0::2]), np.unique(clipped[:, 1::2])
    left, top, right, bottom = (clipped[:, side, None] for side in range(4))
    covered = ((top <= ys[:-1]) & (ys[1:] <= bottom))[:, :, None] & ((left <= xs[:-1]) & (xs[1:] <= right))[:, None, :]
    return float((covered.any(0) * np.outer(np.diff(ys), np.diff(xs))).sum()) / box.area


@given(RECTANGLES, st.tuples(st.integers(-50, 900), st.integers(-50, 400), st.integers(1, 300), st.integers(1, 300)))
def test_the_union_of_rectangles_is_what_the_cells_between_their_edges_add_up_to(
    rectangles: list[Rectangle], at: tuple[int, int, int, int]
) -> None:
    left, top, width, height = at
    box = Box(left, top, left + width, top + height)
    pixels = np.asarray(rectangles, np.float64).reshape(-1, 4) * (*SIZE, *SIZE)
    expected = union_of_cells(box, pixels) if rectangles else 0.0
    assert masked(*rectangles, box=box) == pytest.approx(expected, abs=1e-9)


@given(POLYGONS, POLYGONS)
@settings(max_examples=50)
def test_any_polygons_agree_with_a_count_of_points(mask: list[list[Point]], zones: list[list[Point]]) -> None:
    points = (np.stack(np.meshgrid(np.arange(100), np.arange(100)), -1).reshape(-1, 2) + 0.5) / 100
    inside_mask = np.any([within(points, area) for area in mask], 0) if mask else np.zeros(len(points), bool)
    inside_zones = np.any([within(points, area) for area in zones], 0) if zones else np.ones(len(points), bool)
    counted = float((inside_zones & ~inside_mask).mean())
    share = WatchedArea(mask, zones).share_of(WHOLE, SIZE)
    assert share == pytest.approx(counted, abs=0.04)  # points near the edges


def within(points: NDArray[np.float64], corners: list[Point]) -> NDArray[np.bool_]:
    """Return which of ``points`` (n, 2) lie in the polygon, by the number of edges to their right."""
    inside = np.zeros(len(points), np.bool_)
    x, y = points.T
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            inside ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    return inside


def test_a_mask_covers_every_pixel_that_a_rectangle_touches() -> None:
    keep = WatchedArea([(0.25, 0.0, 0.5, 0.334)]).pixels((90, 160))
    assert not keep[:31, 40:80].any()
    assert keep[31:].all()
    assert keep[:, :40].all()
    assert keep[:, 80:].all()


def test_the_pixels_of_a_polygon_are_those_of_its_area() -> None:
    for corners in (TRIANGLE, ELL, BOW_TIE):
        zone, mask = WatchedArea(zones=[corners]).pixels((90, 160)), WatchedArea([corners]).pixels((90, 160))
        assert (zone == ~mask).all()
        assert zone.mean() == pytest.approx(zoned(corners), abs=0.02)  # outwards by a part of a pixel


def test_a_rectangle_drawn_as_a_polygon_has_the_same_pixels_to_one_at_its_edge() -> None:
    corners: list[Point] = [(0.2, 0.3), (0.7, 0.3), (0.7, 0.8), (0.2, 0.8)]
    drawn, written = WatchedArea([corners]).pixels((90, 160)), WatchedArea([(0.2, 0.3, 0.7, 0.8)]).pixels((90, 160))
    assert not (drawn & ~written)[28:71, 33:111].any()
    assert not (written[:26].all() and not drawn[:26].all())
    assert np.abs(drawn.sum() - written.sum()) <= 2 * (80 + 45)


def test_only_zones_and_nothing_of_the_mask_remain() -> None:
    keep = WatchedArea(mask=[(0.0, 0.0, 0.5, 1.0)], zones=[ELL, (0.8, 0.0, 1.0, 0.2)]).pixels((100, 100))
    assert not keep[:, :50].any()
    assert keep[62:, 52:].all()
    assert keep[:20, 80:].all()
    assert not keep[22:58, 52:].any()
