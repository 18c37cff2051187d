"""Spoils good photos as a door camera does: farther away, out of focus, smeared by movement, darker.

Every way is a function of a picture (uint8 RGB) and a random generator, so that a seed repeats it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image

Spoil = Callable[[Image, np.random.Generator], Image]
_SENSOR_NOISE = 4.0
"""Standard deviation in brightness steps: a small sensor at night."""
_DIRECTIONS = {"across": 0.0, "down": math.pi / 2, "falling": math.pi / 4, "rising": 3 * math.pi / 4}


def smaller(factor: float) -> Spoil:
    """As from farther away."""
    return lambda image, random: np.asarray(  # noqa: ARG005
        cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
    )


def defocused(sigma: float) -> Spoil:
    """A Gaussian of ``sigma`` pixels."""
    return lambda image, random: np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)  # noqa: ARG005


def smeared(length: float, angle: float) -> Spoil:
    """Moved by ``length`` pixels in the direction ``angle`` (radians) while the shutter was open."""
    kernel = _line(length, angle)
    return lambda image, random: np.asarray(cv2.filter2D(image, -1, kernel), np.uint8)  # noqa: ARG005


def darker(factor: float) -> Spoil:
    """So much of the light, and the noise of a sensor."""

    def spoil(image: Image, random: np.random.Generator) -> Image:
        dim = image * factor + random.normal(0, _SENSOR_NOISE, image.shape)
        return np.clip(dim, 0, 255).astype(np.uint8)

    return spoil


def both(first: Spoil, second: Spoil) -> Spoil:
    return lambda image, random: second(first(image, random), random)


def untouched(image: Image, random: np.random.Generator) -> Image:  # noqa: ARG001 - one Spoil among others
    return image


def walk_in(image: Image, random: np.random.Generator) -> Image:
    """One frame of somebody who comes to the door: any distance, any light, now and then a smear or poor focus."""
    steps = [smaller(random.uniform(0.45, 1.0))]
    if random.random() < 0.5:
        steps.append(defocused(random.uniform(0.4, 1.2)))
    if random.random() < 0.3:
        steps.append(smeared(random.uniform(2, 6), random.uniform(0, math.pi)))
    if random.random() < 0.5:
        steps.append(darker(random.uniform(0.25, 1.0)))
    for step in steps:
        image = step(image, random)
    return image


def ladder() -> Mapping[str, Spoil]:
    """What the fit of clarity looks at: each kind alone in rising strength, and some together."""
    rungs: dict[str, Spoil] = {"untouched": untouched}
    rungs |= {f"size x{factor}": smaller(factor) for factor in (0.6, 0.5, 0.4, 0.35, 0.3, 0.25)}
    rungs |= {f"focus {sigma}": defocused(sigma) for sigma in (2.0, 3.0, 4.0)}
    rungs |= {
        f"size x{factor}, focus {sigma}": both(smaller(factor), defocused(sigma))
        for factor in (0.6, 0.4)
        for sigma in (0.8, 1.5)
    }
    rungs |= {f"smear {n} {way}": smeared(n, angle) for n in (7, 13, 19) for way, angle in _DIRECTIONS.items()}
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
