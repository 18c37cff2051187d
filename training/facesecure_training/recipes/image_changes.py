"""Changes of one image by OpenCV: geometry, light, sharpness and compression, drawn from one seed.

All numbers that an image needs are drawn at once, each effect from places of its own, so that one effect does not
shift another's. OpenCV does in about 0.2 ms what took TensorFlow 1 ms image by image (64 pixels, one core).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image

_SPARED = 0.5
"""The share of images that each change of light or sharpness leaves alone."""
_PLACES = 24
_SMALLEST = 8
"""The least number of pixels that a reduced image keeps along a side."""
_LEAST_BLUR, _LEAST_REDUCTION, _LEAST_LOSS = 0.2, 1.05, 2.0
"""Below these nothing can be seen: pixels of sigma, a factor, and steps of JPEG quality."""
_WORST_QUALITY = 5

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Augmentation:
    """The largest extent of each change; 0 disables it.

    ``rotation`` in degrees; ``shift`` and ``zoom`` in shares of the side; ``flip`` the share of mirrored images;
    ``light`` in stops, ``backlight`` the share of light one side loses and the other gains, ``contrast`` the share by
    which it rises or falls, ``gamma`` the natural logarithm of the exponent; ``blur`` the Gaussian's sigma in shares of
    the side; ``noise`` a standard deviation in brightness steps; ``low_resolution`` the factor lost, beyond 1;
    ``jpeg`` the quality lost, of 100.

    Example::

        darker = change(image, Augmentation(light=2.0), seed=(1, 0))
    """

    rotation: float = 0.0
    shift: float = 0.0
    zoom: float = 0.0
    flip: float = 0.0
    light: float = 0.0
    backlight: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    low_resolution: float = 0.0
    jpeg: float = 0.0

    def times(self, strength: float) -> Augmentation:
        """Return the same changes, scaled by ``strength``; the share of mirrored images stays."""
        return replace(self, **{name: value * strength for name, value in asdict(self).items() if name != "flip"})

    @property
    def nothing(self) -> bool:
        """Whether no change is enabled."""
        return not any(asdict(self).values())


def change(image: Image, wanted: Augmentation, seed: Sequence[int] | NDArray[Any]) -> Image:
    """Return ``image``, uint8 RGB (h, w, 3), changed as ``seed`` (integers, at least 0) says; uint8, same shape."""
    drawn = _Drawn(seed)
    floats = _lit(_moved(image, wanted, drawn).astype(np.float32), wanted, drawn)
    floats = _softened(floats, wanted, drawn)
    if noise := drawn.sometimes(14, wanted.noise):
        floats = floats + np.float32(noise) * drawn.normal(floats.shape)
    return _compressed(np.clip(np.rint(floats), 0, 255).astype(np.uint8), wanted, drawn)


class _Drawn:
    """The random numbers of one image, by their place."""

    def __init__(self, seed: Sequence[int] | NDArray[Any]) -> None:
        self._random = np.random.default_rng([int(number) & 0xFFFFFFFF for number in seed])
        self._numbers = self._random.random(_PLACES)

    def uniform(self, place: int, low: float = -1.0, high: float = 1.0) -> float:
        return low + (high - low) * float(self._numbers[place])

    def sometimes(self, place: int, most: float) -> float:
        """Return 0 for the share of images in _SPARED; otherwise up to ``most``, uniformly."""
        return most * max(0.0, (float(self._numbers[place]) - _SPARED) / (1 - _SPARED))

    def either_way(self, place: int, most: float) -> float:
        """Return what ``sometimes`` does, with a random sign from the next place."""
        return self.sometimes(place, most) * (-1.0 if self._numbers[place + 1] < 0.5 else 1.0)

    def normal(self, shape: tuple[int, ...]) -> Floats:
        return self._random.standard_normal(shape, dtype=np.float32)


def _moved(image: Image, wanted: Augmentation, drawn: _Drawn) -> Image:
    """Rotate, shift, zoom and mirror at once; the border is repeated outwards."""
    height, width = image.shape[:2]
    if drawn.uniform(0, 0.0, 1.0) < wanted.flip:
        image = np.ascontiguousarray(image[:, ::-1])
    if not (wanted.rotation or wanted.shift or wanted.zoom):
        return image
    middle = (width - 1) / 2, (height - 1) / 2
    matrix = cv2.getRotationMatrix2D(middle, drawn.uniform(1) * wanted.rotation, 1 + drawn.uniform(2) * wanted.zoom)
    matrix[:, 2] += drawn.uniform(3) * wanted.shift * width, drawn.uniform(4) * wanted.shift * height
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _lit(image: Floats, wanted: Augmentation, drawn: _Drawn) -> Floats:
    """Change the light: its amount, its direction, its contrast, and the camera's gamma."""
    image = image * np.float32(2.0 ** drawn.either_way(5, wanted.light))
    if slope := drawn.sometimes(7, wanted.backlight):
        image = image * (1 + slope * _slope(image.shape, drawn.uniform(8, 0.0, 2 * np.pi)))
    if contrast := drawn.either_way(16, wanted.contrast):
        mean = image.mean()
        image = (image - mean) * np.float32(1 + contrast) + mean
    image = np.clip(image, 0, 255)
    if bend := drawn.either_way(9, wanted.gamma):
        image = np.float32(255) * (image / np.float32(255)) ** np.float32(np.exp(bend))
    return image


def _slope(shape: tuple[int, ...], direction: float) -> Floats:
    """Return a plane, (h, w, 1), from about -1 at one border to 1 at the other, in ``direction``."""
    rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape[:2])
    plane = np.sin(direction) * rows[:, None] + np.cos(direction) * columns[None, :]
    return np.asarray(plane, np.float32)[..., None]


def _softened(image: Floats, wanted: Augmentation, drawn: _Drawn) -> Floats:
    """Blur the image, and reduce its resolution."""
    height, width = image.shape[:2]
    if (sigma := drawn.sometimes(11, wanted.blur) * height) > _LEAST_BLUR:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), np.float32)
    if (factor := 1 + drawn.sometimes(12, wanted.low_resolution)) > _LEAST_REDUCTION:
        small = max(_SMALLEST, int(width / factor)), max(_SMALLEST, int(height / factor))
        reduced = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(reduced, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return image


def _compressed(image: Image, wanted: Augmentation, drawn: _Drawn) -> Image:
    """Compress the image as a JPEG of low quality."""
    if (lost := drawn.sometimes(15, wanted.jpeg)) <= _LEAST_LOSS:
        return image
    quality = int(np.clip(100 - lost, _WORST_QUALITY, 100))
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
