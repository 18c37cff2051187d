"""One property of a crop made worse step by step: light, contrast, size, pose, alignment, focus.

Each is a function of a crop, uint8 RGB (h, w, 3), that gives one of the same size, so that only the network is asked,
not the detector. ``degrade`` and ``spoil`` treat whole photos, before a face is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image

Change = Callable[[Image, float], Image]


@dataclass(frozen=True, slots=True)
class Ladder:
    """``steps`` of one ``change``; at ``untouched`` nothing is changed. ``unit`` is what the steps are."""

    change: Change
    steps: Sequence[float]
    untouched: float
    unit: str


def brightness(crop: Image, factor: float) -> Image:
    """So much of the light."""
    return np.asarray(np.clip(crop * factor, 0, 255), np.uint8)


def contrast(crop: Image, factor: float) -> Image:
    """About the crop's own mean."""
    mean = crop.mean(axis=(0, 1))
    return np.asarray(np.clip((crop - mean) * factor + mean, 0, 255), np.uint8)


def size(crop: Image, factor: float) -> Image:
    """As from farther away: brought down, and up again."""
    height, width = crop.shape[:2]
    small = max(1, round(width * factor)), max(1, round(height * factor))
    reduced = cv2.resize(crop, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(reduced, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def pose(crop: Image, degrees: float) -> Image:
    """Turned about the upright axis, if a face were flat: a stand-in for a turned head, not one."""
    height, width = crop.shape[:2]
    angle, away = np.radians(degrees), 2.5 * width
    x, y = np.array([-1, 1, 1, -1]) * width / 2, np.array([-1, -1, 1, 1]) * height / 2
    nearer = away / (away + x * np.sin(angle))
    turned = np.stack([x * np.cos(angle) * nearer, y * nearer], 1)
    middle = np.array([width, height]) / 2
    return _warped(crop, np.stack([x, y], 1) + middle, turned + middle)


def alignment(crop: Image, share: float) -> Image:
    """Shifted along the diagonal by ``share`` of its width, as by landmarks that were found a little off."""
    height, width = crop.shape[:2]
    matrix = np.array([[1, 0, share * width * 0.7071], [0, 1, share * width * 0.7071]], np.float64)
    moved = cv2.warpAffine(crop, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def blur(crop: Image, share: float) -> Image:
    """A Gaussian, its standard deviation in shares of the width."""
    if share == 0:
        return crop
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), share * crop.shape[1]), np.uint8)


LADDERS: Mapping[str, Ladder] = {
    "brightness": Ladder(brightness, (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0), 1.0, "of the light"),
    "contrast": Ladder(contrast, (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0), 1.0, "of the contrast"),
    "size": Ladder(size, (0.1, 0.15, 0.2, 0.3, 0.45, 0.65, 1.0), 1.0, "of the size"),
    "pose": Ladder(pose, (0.0, 10.0, 20.0, 30.0, 40.0, 50.0), 0.0, "degrees, a flat face turned"),
    "alignment": Ladder(alignment, (0.0, 0.025, 0.05, 0.1, 0.15, 0.2), 0.0, "of the width, shifted"),
    "blur": Ladder(blur, (0.0, 0.01, 0.02, 0.035, 0.05, 0.08), 0.0, "of the width, standard deviation"),
}


def _warped(crop: Image, source: NDArray[np.float64], target: NDArray[np.float64]) -> Image:
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    height, width = crop.shape[:2]
    return np.asarray(cv2.warpPerspective(crop, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)
