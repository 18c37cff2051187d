"""Pictures of people made from the two portraits that the demo ships: the same face in other light and poses, and other
people's faces, bent out of one portrait until they are nobody's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from facesecure.camera.synthetic.portraits import Portrait
from facesecure.domain import Image, Landmarks
from facesecure.vision.images import align


@dataclass(frozen=True)
class Somebody:
    """A face: head and shoulders, uint8 RGB, where in the picture they are (0 to 1), and the landmarks."""

    image: Image
    mask: np.ndarray
    points: Landmarks

    @classmethod
    def of(cls, portrait: Portrait) -> Self:
        return cls(portrait.image(), portrait.mask()[..., None] / np.float32(255), portrait.points())

    def crops(self, count: int, seed: int) -> list[Image]:
        """``count`` aligned crops, uint8 RGB (112, 112, 3): other light, size, sharpness, background and tilt each."""
        rng = np.random.default_rng(seed)
        return [self._crop(rng) for _ in range(count)]

    def others(self, count: int, seed: int) -> Iterator[Self]:
        """So many other faces: this one, its features moved about smoothly and its skin toned."""
        rng = np.random.default_rng(seed)
        for _ in range(count):
            tone = rng.uniform(0.6, 1.15) * rng.uniform(0.85, 1.15, 3)
            toned = np.clip(_bent(self.image, rng) * tone, 0, 255).astype(np.uint8)
            yield type(self)(toned, self.mask, self.points)

    def _crop(self, rng: np.random.Generator) -> Image:
        wall = rng.integers(40, 220, 3)
        picture = (self.image * self.mask + wall * (1 - self.mask)).astype(np.uint8)
        reach = float(np.ptp(self.points[:, 0]))
        points = self.points + rng.normal(0, 0.04 * reach, self.points.shape)
        small = rng.uniform(0.3, 1.0) * 60 / reach  # what the camera resolved: 18 to 60 pixels between the eyes
        picture = cv2.resize(picture, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
        crop = align.crop(picture, (points * small).astype(np.float32))
        lit = 255 * (crop / 255.0) ** rng.uniform(0.7, 1.4) * rng.uniform(0.6, 1.2) * rng.uniform(0.9, 1.1, 3)
        return np.clip(lit + rng.normal(0, 4, crop.shape), 0, 255).astype(np.uint8)


def _bent(image: Image, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    shifts = rng.normal(0, 0.03 * width, (2, 7, 7)).astype(np.float32)
    across, down = (cv2.resize(shift, (width, height), interpolation=cv2.INTER_CUBIC) for shift in shifts)
    return np.asarray(cv2.remap(image, x + across, y + down, cv2.INTER_LINEAR), np.uint8)
