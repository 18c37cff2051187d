"""Scenes for a camera under any light: generated brightness planes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Luma

WIDTH, HEIGHT = 320, 180
_MARGIN = 80

Plane = NDArray[np.float32]


def place(seed: int) -> Plane:
    """A place of walls, doors and clutter, larger than the image by a margin: float32 0 to 255."""
    random = np.random.default_rng(seed)
    width, height = WIDTH + 2 * _MARGIN, HEIGHT + 2 * _MARGIN
    picture = np.full((height, width), random.uniform(60, 120), np.float32)
    for _ in range(60):
        centre = random.uniform((0, 0), (width, height))
        size = random.uniform((8, 8), (90, 90))
        corners = cv2.boxPoints((tuple(centre), tuple(size), float(random.uniform(-20, 20)))).astype(np.int32)
        cv2.fillPoly(picture, [corners], float(random.uniform(10, 245)))
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.0), np.float32)


def looking(at: Plane, right: int = 0, down: int = 0) -> Plane:
    """Return the camera's view of a place, shifted by so many pixels (of 320)."""
    top, left = _MARGIN + down, _MARGIN + right
    return at[top : top + HEIGHT, left : left + WIDTH]


def lit(scene: Plane, gain: float = 1.0, side: float = 0.0) -> Plane:
    """Return the scene under ``gain`` times the light; ``side``: 0 even, 1 all from the left, -1 all from the right."""
    across = np.linspace(side, -side, scene.shape[1], dtype=np.float32)
    return scene * np.float32(gain) * (1 + across) / np.float32(1 + abs(side))


def with_visitor(scene: Plane, left: float, width: float = 0.3, brightness: float = 40.0) -> Plane:
    """Return the scene with a person standing in it: a plain coat over a share of the image's width."""
    seen = scene.copy()
    first, last = (round(part * scene.shape[1]) for part in (left, left + width))
    seen[20:, max(0, first) : max(0, last)] = brightness
    return seen


class Sensor:
    """Turns scenes into camera images: noise of that standard deviation, 8 bits, black at 16 as in video."""

    def __init__(self, noise: float = 2.0, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._noise = self._random.normal(0, noise, (2 * HEIGHT, 2 * WIDTH)).astype(np.float32)

    def luma(self, scene: Plane) -> Luma:
        top, left = (int(self._random.integers(0, length)) for length in scene.shape)
        noise = self._noise[top : top + scene.shape[0], left : left + scene.shape[1]]
        return np.clip(16 + scene * np.float32(219 / 255) + noise, 0, 255).astype(np.uint8)
