"""Spoils pictures the way a door camera does: from afar, out of focus, smeared, dark, and found a little off."""

from __future__ import annotations

import cv2
import numpy as np

from facesecure.domain import Image, Landmarks
from facesecure.vision import align

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
