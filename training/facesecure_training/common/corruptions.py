"""Corruptions that a door camera adds to an image: distance, defocus, motion blur, low light and noise.

The functions at the top are the only implementation of each corruption; the rest of the package composes them. Images
are uint8 RGB (height, width, 3). Where chance is involved, it is drawn from the generator that is passed, so that a
seed repeats the result.

``recipes.augment`` makes similar images while a network trains. It shares no code with this module: it runs inside
TensorFlow's input pipeline on tensors, draws from stateless seeds, and blurs with other kernels and borders.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image, Landmarks
from facesecure.vision.images import align

Corruption = Callable[[Image, np.random.Generator], Image]
Kernel = NDArray[np.float32]

_SENSOR_NOISE = 4.0
"""Standard deviation in brightness steps: a small sensor at night."""
_DIRECTIONS = {"across": 0.0, "down": math.pi / 2, "falling": math.pi / 4, "rising": 3 * math.pi / 4}


def shrink(image: Image, factor: float, *, whole: bool = False) -> Image:
    """Return ``image`` at ``factor`` (0 to 1) of its size, averaged as by a camera farther away.

    The size is rounded to whole pixels. With ``whole`` the scale follows the rounded size, so that the result shows the
    whole image to its border; without, the scale is exactly ``factor``.
    """
    height, width = image.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor))) if whole else None
    return np.asarray(cv2.resize(image, size, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def blur(image: Image, sigma: float) -> Image:
    """Return ``image`` out of focus: a Gaussian with a standard deviation of ``sigma`` pixels; unchanged for 0."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8) if sigma else image


def motion_blur(image: Image, kernel: Kernel) -> Image:
    """Return ``image`` averaged along a movement; ``kernel`` is made by ``line_kernel`` or ``box_kernel``."""
    return np.asarray(cv2.filter2D(image, -1, kernel), np.uint8)


def line_kernel(length: float, angle: float) -> Kernel:
    """Return the kernel of a movement by ``length`` pixels in the direction ``angle`` (radians); its sum is 1."""
    reach = max(1, math.ceil(length / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for along in np.linspace(-length / 2, length / 2, 8 * reach + 1):
        kernel[round(reach + along * math.sin(angle)), round(reach + along * math.cos(angle))] += 1
    return np.asarray(kernel / kernel.sum(), np.float32)


def box_kernel(length: int, *, across: bool) -> Kernel:
    """Return the kernel of a movement by ``length`` whole pixels, across the image or down; its sum is 1."""
    return np.full((1, length) if across else (length, 1), 1 / length, np.float32)


def darken(
    image: Image, gain: float, noise: NDArray[np.float64] | float = 0.0, offset: NDArray[np.float64] | float = 0.0
) -> Image:
    """Return ``image`` with its brightness scaled by ``gain`` (above 1: brighter), plus ``offset`` and ``noise``.

    ``noise`` has the shape of the image, in brightness steps; see ``sensor_noise``.
    """
    return np.asarray(np.clip(image * gain + offset + noise, 0, 255), np.uint8)


def backlight(image: Image, strength: float) -> Image:
    """Return ``image`` as with a bright door behind the head: its middle darker and its rim brighter by ``strength``.

    ``strength`` is a share of the light, 0 to 1.
    """
    height, width = image.shape[:2]
    down, across = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    distance = np.minimum(1.0, np.hypot(down, across))[..., None]
    return darken(image, 1.0, offset=image * strength * (2 * distance**2 - 1))


def sensor_noise(image: Image, deviation: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw Gaussian noise of the shape of ``image``; ``deviation`` in brightness steps."""
    return random.normal(0, deviation, image.shape)


# Corruptions as values: functions of an image and a generator.


def smaller(factor: float) -> Corruption:
    """Return a corruption that shrinks an image to ``factor`` of its size."""
    return lambda image, _random: shrink(image, factor)


def gaussian_blurred(sigma: float) -> Corruption:
    """Return a corruption that blurs an image by ``sigma`` pixels."""
    return lambda image, _random: blur(image, sigma)


def motion_blurred(length: float, angle: float) -> Corruption:
    """Return a corruption that moves an image by ``length`` pixels towards ``angle`` (radians) during the exposure."""
    kernel = line_kernel(length, angle)
    return lambda image, _random: motion_blur(image, kernel)


def darker(factor: float) -> Corruption:
    """Return a corruption that keeps ``factor`` of the light and adds the noise of a small sensor at night."""
    return lambda image, random: darken(image, factor, sensor_noise(image, _SENSOR_NOISE, random))


def backlit(strength: float) -> Corruption:
    """Return a corruption that takes light from the middle of an image and adds it at the rim; see ``backlight``."""
    return lambda image, _random: backlight(image, strength)


def both(first: Corruption, second: Corruption) -> Corruption:
    """Return a corruption that applies ``first`` and then ``second``."""
    return lambda image, random: second(first(image, random), random)


def untouched(image: Image, _random: np.random.Generator) -> Image:
    """Return ``image`` unchanged: the corruption that is none."""
    return image


def walk_in(image: Image, random: np.random.Generator) -> Image:
    """Corrupt ``image`` as one frame of a person who walks up to the door.

    Any distance, any light, sometimes motion blur or poor focus.
    """
    corruptions = [smaller(random.uniform(0.45, 1.0))]
    if random.random() < 0.5:
        corruptions.append(gaussian_blurred(random.uniform(0.4, 1.2)))
    if random.random() < 0.3:
        corruptions.append(motion_blurred(random.uniform(2, 6), random.uniform(0, math.pi)))
    if random.random() < 0.5:
        corruptions.append(darker(random.uniform(0.25, 1.0)))
    for corruption in corruptions:
        image = corruption(image, random)
    return image


def clarity_corruptions() -> Mapping[str, Corruption]:
    """Return the corruptions that the fit of clarity uses, by name: each in rising strength, and some together."""
    found: dict[str, Corruption] = {"untouched": untouched}
    found |= {f"size x{factor}": smaller(factor) for factor in (0.6, 0.5, 0.4, 0.35, 0.3, 0.25)}
    found |= {f"focus {sigma}": gaussian_blurred(sigma) for sigma in (2.0, 3.0, 4.0)}
    found |= {
        f"size x{factor}, focus {sigma}": both(smaller(factor), gaussian_blurred(sigma))
        for factor in (0.6, 0.4)
        for sigma in (0.8, 1.5)
    }
    found |= {f"smear {n} {way}": motion_blurred(n, angle) for n in (7, 13, 19) for way, angle in _DIRECTIONS.items()}
    found |= {f"light x{factor}": darker(factor) for factor in (0.5, 0.25, 0.15)}
    found["size x0.4, light x0.3"] = both(smaller(0.4), darker(0.3))
    return found


# A photo with the landmarks of its face, cropped afterwards.

_MIRRORED = [1, 0, 2, 4, 3]
_LANDMARK_ERROR = 0.03
"""Standard deviation of the landmarks' error, as a share of the distance between the eyes."""


def corrupted_crop(image: Image, landmarks: Landmarks, random: np.random.Generator) -> Image:
    """Return the aligned crop, uint8 RGB (112, 112, 3), of the face in ``image`` after one or two random corruptions.

    Half of the images are mirrored; ``landmarks`` (5, 2), in pixels, are displaced as by a detector that errs.
    """
    if random.random() < 0.5:
        image, landmarks = _mirrored(image, landmarks)
    eyes = float(np.hypot(*(landmarks[1] - landmarks[0])))
    landmarks = (landmarks + random.normal(0, _LANDMARK_ERROR * eyes, landmarks.shape)).astype(np.float32)
    kind = random.choice(["far", "soft", "dim", "soft and dim", "smeared", "none"])
    if kind == "far":
        image, landmarks = _shrunk(image, landmarks, min(1.0, random.uniform(9, 30) / eyes))
    if "soft" in kind:
        image = blur(image, random.uniform(0.03, 0.1) * eyes)
    if "dim" in kind:
        image = _dimmed(image, random)
    if kind == "smeared":
        length = max(3, round(random.uniform(0.1, 0.3) * eyes))
        image = motion_blur(image, box_kernel(length, across=bool(random.random() < 0.5)))
    return align.crop(image, landmarks)


def _mirrored(image: Image, landmarks: Landmarks) -> tuple[Image, Landmarks]:
    flipped = landmarks.copy()
    flipped[:, 0] = image.shape[1] - 1 - flipped[:, 0]
    return np.ascontiguousarray(image[:, ::-1]), flipped[_MIRRORED]


def _shrunk(image: Image, landmarks: Landmarks, factor: float) -> tuple[Image, Landmarks]:
    return shrink(image, factor), ((landmarks + 0.5) * factor - 0.5).astype(np.float32)


def _dimmed(image: Image, random: np.random.Generator) -> Image:
    noise = sensor_noise(image, random.uniform(0, 6), random)
    return darken(image, random.uniform(0.15, 0.8), offset=random.uniform(0, 30), noise=noise)
