"""Spoils good photos as a door camera does: farther away, out of focus, smeared by movement, darker.

Every way is a function of a picture (uint8 RGB) and a random generator, so that a seed repeats it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image, Landmarks
from facesecure.vision.images import align

Corruption = Callable[[Image, np.random.Generator], Image]
_SENSOR_NOISE = 4.0
"""Standard deviation in brightness steps: a small sensor at night."""
_DIRECTIONS = {"across": 0.0, "down": math.pi / 2, "falling": math.pi / 4, "rising": 3 * math.pi / 4}


def smaller(factor: float) -> Corruption:
    """As from farther away."""
    return lambda image, random: np.asarray(  # noqa: ARG005
        cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
    )


def gaussian_blurred(sigma: float) -> Corruption:
    """A Gaussian of ``sigma`` pixels."""
    return lambda image, random: np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)  # noqa: ARG005


def motion_blurred(length: float, angle: float) -> Corruption:
    """Moved by ``length`` pixels in the direction ``angle`` (radians) while the shutter was open."""
    kernel = _line(length, angle)
    return lambda image, random: np.asarray(cv2.filter2D(image, -1, kernel), np.uint8)  # noqa: ARG005


def darker(factor: float) -> Corruption:
    """So much of the light, and the noise of a sensor."""

    def spoil(image: Image, random: np.random.Generator) -> Image:
        dim = image * factor + random.normal(0, _SENSOR_NOISE, image.shape)
        return np.clip(dim, 0, 255).astype(np.uint8)

    return spoil


def both(first: Corruption, second: Corruption) -> Corruption:
    return lambda image, random: second(first(image, random), random)


def untouched(image: Image, random: np.random.Generator) -> Image:  # noqa: ARG001 - one Spoil among others
    return image


def walk_in(image: Image, random: np.random.Generator) -> Image:
    """One frame of somebody who comes to the door: any distance, any light, now and then a smear or poor focus."""
    steps = [smaller(random.uniform(0.45, 1.0))]
    if random.random() < 0.5:
        steps.append(gaussian_blurred(random.uniform(0.4, 1.2)))
    if random.random() < 0.3:
        steps.append(motion_blurred(random.uniform(2, 6), random.uniform(0, math.pi)))
    if random.random() < 0.5:
        steps.append(darker(random.uniform(0.25, 1.0)))
    for step in steps:
        image = step(image, random)
    return image


def ladder() -> Mapping[str, Corruption]:
    """What the fit of clarity looks at: each kind alone in rising strength, and some together."""
    rungs: dict[str, Corruption] = {"untouched": untouched}
    rungs |= {f"size x{factor}": smaller(factor) for factor in (0.6, 0.5, 0.4, 0.35, 0.3, 0.25)}
    rungs |= {f"focus {sigma}": gaussian_blurred(sigma) for sigma in (2.0, 3.0, 4.0)}
    rungs |= {
        f"size x{factor}, focus {sigma}": both(smaller(factor), gaussian_blurred(sigma))
        for factor in (0.6, 0.4)
        for sigma in (0.8, 1.5)
    }
    rungs |= {f"smear {n} {way}": motion_blurred(n, angle) for n in (7, 13, 19) for way, angle in _DIRECTIONS.items()}
    rungs |= {f"light x{factor}": darker(factor) for factor in (0.5, 0.25, 0.15)}
    rungs["size x0.4, light x0.3"] = both(smaller(0.4), darker(0.3))
    return rungs


def _line(length: float, angle: float) -> NDArray[np.float32]:
    """A kernel that averages along a line."""
    reach = max(1, math.ceil(length / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for along in np.linspace(-length / 2, length / 2, 8 * reach + 1):
        kernel[round(reach + along * math.sin(angle)), round(reach + along * math.cos(angle))] += 1
    return np.asarray(kernel / kernel.sum(), np.float32)


_MIRRORED = [1, 0, 2, 4, 3]
_OFF = 0.03
"""Standard deviation of the landmarks' error, of the distance between the eyes."""


def spoilt_crop(image: Image, landmarks: Landmarks, chance: np.random.Generator) -> Image:
    """The aligned crop, uint8 RGB (112, 112, 3), of the face in ``image`` (uint8 RGB) after one or two mishaps."""
    if chance.random() < 0.5:
        image, landmarks = _mirrored(image, landmarks)
    eyes = float(np.hypot(*(landmarks[1] - landmarks[0])))
    landmarks = (landmarks + chance.normal(0, _OFF * eyes, landmarks.shape)).astype(np.float32)
    mishap = chance.choice(["far", "soft", "dim", "soft and dim", "smeared", "none"])
    if mishap == "far":
        image, landmarks = _shrunk(image, landmarks, min(1.0, chance.uniform(9, 30) / eyes))
    if "soft" in mishap:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), chance.uniform(0.03, 0.1) * eyes), np.uint8)
    if "dim" in mishap:
        image = _dimmed(image, chance)
    if mishap == "smeared":
        image = _smeared(image, max(3, round(chance.uniform(0.1, 0.3) * eyes)), along=bool(chance.random() < 0.5))
    return align.crop(image, landmarks)


def _mirrored(image: Image, landmarks: Landmarks) -> tuple[Image, Landmarks]:
    flipped = landmarks.copy()
    flipped[:, 0] = image.shape[1] - 1 - flipped[:, 0]
    return np.ascontiguousarray(image[:, ::-1]), flipped[_MIRRORED]


def _shrunk(image: Image, landmarks: Landmarks, scale: float) -> tuple[Image, Landmarks]:
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), ((landmarks + 0.5) * scale - 0.5).astype(np.float32)


def _dimmed(image: Image, chance: np.random.Generator) -> Image:
    noise = chance.normal(0, chance.uniform(0, 6), image.shape)
    return np.clip(image * chance.uniform(0.15, 0.8) + chance.uniform(0, 30) + noise, 0, 255).astype(np.uint8)


def _smeared(image: Image, length: int, *, along: bool) -> Image:
    return np.asarray(cv2.blur(image, (length, 1) if along else (1, length)), np.uint8)


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
