"""One property of a face crop made worse step by step: light, size, pose, alignment, focus, and what covers the face.

Each corruption maps a crop, uint8 RGB (height, width, 3), to one of the same size, so that only the network is tested,
not the detector. What covers a face is drawn where an aligned crop has the eyes and the mouth. ``common.corruptions``
treats whole photos, before a face is detected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.vision.images.align import SIZE, TEMPLATE
from facesecure_training.common import corruptions

CropCorruption = Callable[[Image, float], Image]


@dataclass(frozen=True, slots=True)
class CorruptionSeries:
    """One ``corruption`` in several ``strengths``, measured in ``unit``; at ``untouched`` it changes nothing.

    Example::

        series = CORRUPTION_SERIES["blur"]
        crops = [series.corruption(crop, strength) for strength in series.strengths]
    """

    corruption: CropCorruption
    strengths: Sequence[float]
    untouched: float
    unit: str


def contrast(crop: Image, factor: float) -> Image:
    """Return ``crop`` with its contrast scaled by ``factor`` about its own mean colour."""
    mean = crop.mean(axis=(0, 1))
    return np.asarray(np.clip((crop - mean) * factor + mean, 0, 255), np.uint8)


def low_resolution(crop: Image, factor: float) -> Image:
    """Return ``crop`` as from farther away: shrunk to ``factor`` of its size and enlarged again."""
    height, width = crop.shape[:2]
    reduced = corruptions.shrink(crop, factor, whole=True)
    return np.asarray(cv2.resize(reduced, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def pose(crop: Image, degrees: float) -> Image:
    """Return ``crop`` turned about its vertical axis as if the face were flat: an approximation of a turned head."""
    height, width = crop.shape[:2]
    angle, away = np.radians(degrees), 2.5 * width
    x, y = np.array([-1, 1, 1, -1]) * width / 2, np.array([-1, -1, 1, 1]) * height / 2
    nearer = away / (away + x * np.sin(angle))
    turned = np.stack([x * np.cos(angle) * nearer, y * nearer], 1)
    middle = np.array([width, height]) / 2
    return _warped(crop, np.stack([x, y], 1) + middle, turned + middle)


def alignment(crop: Image, share: float) -> Image:
    """Return ``crop`` shifted along the diagonal by ``share`` of its width, as by inaccurate landmarks."""
    height, width = crop.shape[:2]
    matrix = np.array([[1, 0, share * width * 0.7071], [0, 1, share * width * 0.7071]], np.float64)
    moved = cv2.warpAffine(crop, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def defocus(crop: Image, share: float) -> Image:
    """Return ``crop`` blurred by a Gaussian whose standard deviation is ``share`` of its width."""
    return corruptions.blur(crop, share * crop.shape[1])


def sunglasses(crop: Image, darkness: float) -> Image:
    """Return ``crop`` with glasses drawn on it whose lenses take ``darkness`` (0 to 1) of the light."""
    height, width = crop.shape[:2]
    lenses = np.zeros((height, width), np.float32)
    for eye in TEMPLATE[:2] / SIZE * (width, height):
        cv2.ellipse(lenses, (eye.tolist(), (0.27 * width, 0.22 * height), 0.0), 1.0, -1, cv2.LINE_AA)
    bridge = (TEMPLATE[:2] / SIZE * (width, height)).round().astype(int).tolist()
    cv2.line(lenses, bridge[0], bridge[1], 1.0, max(1, width // 40), cv2.LINE_AA)
    return np.asarray((crop * (1 - darkness * lenses[..., None])).round(), np.uint8)


def hat(crop: Image, share: float) -> Image:
    """Return ``crop`` with its upper ``share`` covered by something dark: at 0.35 it reaches the eyebrows."""
    covered = crop.copy()
    covered[: round(share * len(crop))] = _CLOTH
    return covered


def scarf(crop: Image, share: float) -> Image:
    """Return ``crop`` with its lower ``share`` covered by something dark: at 0.3 the mouth is, at 0.4 the nose."""
    covered = crop.copy()
    covered[len(crop) - round(share * len(crop)) :] = _CLOTH
    return covered


_CLOTH = (46, 44, 52)
"""The colour of what covers a face, RGB."""

CORRUPTION_SERIES: Mapping[str, CorruptionSeries] = {
    "brightness": CorruptionSeries(
        corruptions.darken, (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0), 1.0, "share of the light"
    ),
    "contrast": CorruptionSeries(contrast, (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0), 1.0, "share of the contrast"),
    "size": CorruptionSeries(low_resolution, (0.1, 0.15, 0.2, 0.3, 0.45, 0.65, 1.0), 1.0, "share of the size"),
    "pose": CorruptionSeries(pose, (0.0, 10.0, 20.0, 30.0, 40.0, 50.0), 0.0, "degrees, a flat face turned"),
    "alignment": CorruptionSeries(alignment, (0.0, 0.025, 0.05, 0.1, 0.15, 0.2), 0.0, "shift, share of the width"),
    "blur": CorruptionSeries(defocus, (0.0, 0.01, 0.02, 0.035, 0.05, 0.08), 0.0, "sigma, share of the width"),
    "glasses": CorruptionSeries(sunglasses, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), 0.0, "drawn; share of the light taken"),
    "hat": CorruptionSeries(hat, (0.0, 0.1, 0.2, 0.25, 0.3, 0.35), 0.0, "drawn; share covered from above"),
    "scarf": CorruptionSeries(scarf, (0.0, 0.05, 0.1, 0.2, 0.3, 0.4), 0.0, "drawn; share covered from below"),
}


def _warped(crop: Image, source: NDArray[np.float64], target: NDArray[np.float64]) -> Image:
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    height, width = crop.shape[:2]
    return np.asarray(cv2.warpPerspective(crop, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)
