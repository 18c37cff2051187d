"""Draw the view from a front door (sky, houses, lawn, hedge, path, the wall with the door), and a sensor's noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from facesecure.domain import Image, Luma

HORIZON = 0.36
"""Height of the horizon and of a visitor's eyes (the camera is at eye level): fraction from the top."""

HEDGE_LEFT = 0.73
"""Left edge of the hedge that visitors come out from behind: fraction from the left."""

Points = Sequence[tuple[float, float]]
Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Scene:
    """The empty scene: ``image`` is uint8 RGB; ``hedge`` (uint8, same size) is 255 where it hides far figures."""

    image: Image
    hedge: Luma


class Sensor:
    """A sensor's gain and noise, reproducible by its seed.

    Example::

        frame = Sensor((1280, 720), seed=0).expose(draw_scene().image, gain=0.9)
    """

    def __init__(self, size: tuple[int, int], seed: int, noise: float = 1.6) -> None:
        """``size`` is (width, height); ``noise`` is the standard deviation of a pixel, of 255."""
        self._rng = np.random.default_rng(seed)
        width, height = size
        # One larger noise image, shifted at random for each frame, costs a tenth of new noise and looks the same.
        grain = self._rng.normal(0, noise, (height + 32, width + 32, 1)).repeat(3, 2)
        self._up = np.clip(grain, 0, 255).astype(np.uint8)
        self._down = np.clip(-grain, 0, 255).astype(np.uint8)
        self._size = size

    def expose(self, image: Image, gain: float = 1.0) -> Image:
        """Return ``image`` under ``gain`` times the light, with noise, as a new uint8 RGB image."""
        lit = image if gain == 1.0 else cv2.convertScaleAbs(image, alpha=gain)
        x, y = self._rng.integers(0, 32, 2)
        width, height = self._size
        window = np.s_[y : y + height, x : x + width]
        return np.asarray(cv2.subtract(cv2.add(lit, self._up[window]), self._down[window]), np.uint8)


def draw_scene(size: tuple[int, int] = (1280, 720), seed: int = 0) -> Scene:
    """Return the empty scene at ``size`` (width, height)."""
    brush = _Brush(size, np.random.default_rng(seed))
    brush.gradient(0.0, HORIZON, (176, 200, 222), (226, 230, 226))
    _street(brush)
    brush.gradient(HORIZON, 1.0, (104, 128, 78), (74, 104, 54))
    brush.soften(0.0025)
    brush.grain(7.0, 0.0016, below=HORIZON + 0.02)
    _path(brush)
    before_hedge = brush.image.copy()
    _hedge(brush)
    hedge = np.where((brush.image != before_hedge).any(2), 255, 0).astype(np.uint8)
    _porch(brush)
    brush.grain(3.0, 0.004)
    return Scene(brush.image, hedge)


class _Brush:
    """Draws polygons given in fractions of the image."""

    def __init__(self, size: tuple[int, int], rng: np.random.Generator) -> None:
        self.width, self.height = size
        self.image: Image = np.zeros((self.height, self.width, 3), np.uint8)
        self.rng = rng

    def gradient(self, top: float, bottom: float, first: Colour, last: Colour) -> None:
        rows = slice(round(top * self.height), round(bottom * self.height))
        count = rows.stop - rows.start
        self.image[rows] = np.linspace(first, last, count)[:, None].astype(np.uint8)

    def polygon(self, points: Points, colour: Colour) -> None:
        pixels = (np.array(points) * (self.width, self.height) * 16).round().astype(np.int32)
        cv2.fillPoly(self.image, [pixels], colour, cv2.LINE_AA, shift=4)

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def soften(self, amount: float) -> None:
        self.image = np.asarray(cv2.GaussianBlur(self.image, (0, 0), amount * self.width), np.uint8)

    def grain(self, strength: float, grain: float, below: float = 0.0) -> None:
        """Add blotches of ``grain`` times the width below a height: grass, plaster, gravel."""
        raw = self.rng.normal(0, 1, (self.height, self.width)).astype(np.float32)
        soft = cv2.GaussianBlur(raw, (0, 0), max(grain * self.width, 0.6))
        rows = slice(round(below * self.height), None)
        texture = (soft[rows] / soft.std() * strength)[..., None]
        self.image[rows] = np.clip(self.image[rows] + texture, 0, 255).astype(np.uint8)


def _street(brush: _Brush) -> None:
    """Draw houses and trees across the road."""
    walls: tuple[Colour, ...] = ((196, 182, 164), (172, 150, 134), (206, 200, 188))
    for index, left in enumerate((0.30, 0.52, 0.80)):
        right, wall = left + 0.17, walls[index]
        brush.rectangle(left, HORIZON - 0.15, right, HORIZON + 0.01, wall)
        brush.polygon(
            [(left - 0.015, HORIZON - 0.15), (left + 0.085, HORIZON - 0.235), (right + 0.015, HORIZON - 0.15)],
            (122, 86, 74),
        )
        for column in (0.03, 0.105):
            brush.rectangle(left + column, HORIZON - 0.115, left + column + 0.032, HORIZON - 0.055, (92, 104, 116))
    for x, reach in ((0.49, 0.05), (0.745, 0.06), (0.99, 0.05)):
        ring = [
            (x + reach * np.cos(a), HORIZON - 0.12 + 1.9 * reach * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 24)
        ]
        brush.polygon(ring, (84, 112, 72))
        brush.rectangle(x - 0.006, HORIZON - 0.06, x + 0.006, HORIZON + 0.01, (88, 72, 58))
    brush.rectangle(0, HORIZON - 0.006, 1, HORIZON + 0.03, (132, 132, 134))


def _path(brush: _Brush) -> None:
    """Draw paving stones from the gate to the camera."""
    brush.polygon([(0.655, HORIZON + 0.1), (0.705, HORIZON + 0.1), (0.86, 1.0), (0.22, 1.0)], (176, 168, 156))
    for depth in np.linspace(0.0, 1.0, 9)[1:] ** 2:
        y = HORIZON + 0.1 + depth * (0.9 - HORIZON)
        half = 0.002 + 0.004 * depth
        left, right = 0.655 - 0.435 * depth, 0.705 + 0.155 * depth
        brush.polygon([(left, y), (right, y), (right, y + half), (left, y + half)], (138, 130, 120))


def _hedge(brush: _Brush) -> None:
    """Draw the hedge right of the gate, behind which visitors come out; its top is leafy."""
    xs = np.linspace(HEDGE_LEFT + 0.005, 1.0, 60)
    tops = HORIZON - 0.055 + brush.rng.normal(0, 0.006, len(xs))
    brush.polygon(
        [(HEDGE_LEFT + 0.005, HORIZON + 0.235), *zip(xs, tops, strict=True), (1.0, HORIZON + 0.265)], (58, 84, 48)
    )
    for x, y, light in brush.rng.uniform((HEDGE_LEFT + 0.007, HORIZON - 0.05, 0), (1.0, HORIZON + 0.23, 1), (900, 3)):
        tint = (int(44 + 44 * light), int(70 + 50 * light), int(36 + 36 * light))
        brush.polygon([(x, y), (x + 0.006, y + 0.004), (x + 0.003, y + 0.012), (x - 0.003, y + 0.006)], tint)


def _porch(brush: _Brush) -> None:
    """Draw the wall of the house, seen along it on the left, with the door and a lamp."""
    brush.polygon([(0, 0), (0.285, 0), (0.285, 0.9), (0, 1.25)], (198, 188, 172))
    for y in np.linspace(0.03, 1.0, 17):
        brush.polygon(
            [(0, y), (0.285, 0.30 + (y - 0.3) * 0.86), (0.285, 0.303 + (y - 0.3) * 0.86), (0, y + 0.004)],
            (184, 174, 158),
        )
    brush.polygon([(0.035, 0.13), (0.205, 0.165), (0.205, 0.945), (0.035, 1.12)], (232, 228, 220))
    brush.polygon([(0.05, 0.155), (0.192, 0.185), (0.192, 0.93), (0.05, 1.1)], (64, 84, 78))
    for top, bottom in ((0.22, 0.42), (0.50, 0.80)):
        for left, right in ((0.066, 0.112), (0.130, 0.176)):
            brush.polygon([(left, top), (right, top + 0.008), (right, bottom - 0.008), (left, bottom)], (54, 70, 66))
    brush.polygon([(0.178, 0.53), (0.186, 0.53), (0.186, 0.585), (0.178, 0.585)], (206, 182, 104))
    brush.rectangle(0.232, 0.22, 0.262, 0.30, (52, 50, 48))
    brush.rectangle(0.237, 0.232, 0.257, 0.292, (248, 230, 178))
