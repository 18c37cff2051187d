"""Two networks that tell a face from a picture of one, pulled by ``facesecure models pull antispoof``.

MiniFASNetV2 of minivision (trained on images of its own) and a relative trained on CelebA-Spoof look at different
surroundings of the face. Each alone doubts living people too; together they doubted none of 36 living visits and all
of nine replayed ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Box, Image
from facesecure.vision.inference.backend import PROCESSOR, Backend
from facesecure.vision.inference.model_card import Model

MODELS = ("antispoof-minivision", "antispoof-celeba")
"""The models by name, in the order of ``SpoofScores``."""

_WIDE, _NEAR = 2.7, 1.5
"""Sides of the two crops, in face sizes: those that the networks were trained on."""
_DIM, _WELL_LIT = 100.0, 110.0
"""Mean brightness of a face below which it is brightened, and to which: of 240 photos darkened to a quarter, both
networks together take 46 % for pictures as they are, 1.7 % brightened, and of the photos as taken 1.2 %."""
_LIVE_OF_THREE, _FAKE_OF_TWO = 1, 1


@dataclass(frozen=True, slots=True)
class SpoofScores:
    """How much a face looks like a picture to each of the networks, 0 to 1."""

    wide: float
    near: float


class Antispoof:
    """Scores faces by both networks. Not safe for two threads at once.

    Example::

        scores = Antispoof(*(load_model(name, state_dir) for name in MODELS)).score(frame.image, face.box)
    """

    def __init__(self, wide: Model, near: Model, backend: Backend = PROCESSOR) -> None:
        """Load the networks ``MODELS``. Raises ModelError if they do not run here."""
        self._wide, self._near = wide.interpreter(backend), near.interpreter(backend)

    def score(self, image: Image, box: Box) -> SpoofScores:
        """Return the scores of the face in ``box`` of ``image`` (uint8 RGB)."""
        gain = _gain(image, box)
        (wide,) = self._wide.invoke(_brighter(wide_crop(image, box, self._wide.inputs[0].shape[1]), gain)[None])
        (near,) = self._near.invoke(_brighter(near_crop(image, box, self._near.inputs[0].shape[1]), gain)[None])
        return SpoofScores(1.0 - float(wide[0, _LIVE_OF_THREE]), float(near[0, _FAKE_OF_TWO]))


def brightness(image: Image, box: Box) -> float:
    """Return the mean of the face in ``box`` of ``image``, 0 to 255; 0 if none of it is in the image."""
    height, width = image.shape[:2]
    rows = slice(int(max(0.0, box.top)), int(min(float(height), box.bottom)))
    columns = slice(int(max(0.0, box.left)), int(min(float(width), box.right)))
    pixels = image[rows, columns][::2, ::2]
    return float(pixels.mean()) if pixels.size else 0.0


def _gain(image: Image, box: Box) -> float:
    found = brightness(image, box)
    return _WELL_LIT / found if 0 < found < _DIM else 1.0


def _brighter(crop: Image, gain: float) -> Image:
    return crop if gain == 1.0 else np.asarray(cv2.convertScaleAbs(crop, alpha=gain), np.uint8)


def wide_crop(image: Image, box: Box, side: int) -> Image:
    """Return the face with 2.7 times its box, moved into the image and shrunk where it is larger: (side, side, 3)."""
    height, width = image.shape[:2]
    scale = min((height - 1) / box.height, (width - 1) / box.width, _WIDE)
    across, down = box.width * scale, box.height * scale
    left = min(max(box.centre[0] - across / 2, 0.0), width - across)
    top = min(max(box.centre[1] - down / 2, 0.0), height - down)
    cut = image[int(top) : int(top + down) + 1, int(left) : int(left + across) + 1]
    return np.asarray(cv2.resize(cut, (side, side)), np.uint8)


def near_crop(image: Image, box: Box, side: int) -> Image:
    """Return the square of 1.5 times the face's longer side, mirrored beyond the image's edges: (side, side, 3)."""
    height, width = image.shape[:2]
    size = max(2, int(_NEAR * max(box.width, box.height)))
    left, top = (int(middle - size / 2) for middle in box.centre)
    rows, columns = (_mirrored(start, size, end) for start, end in ((top, height), (left, width)))
    shrinking = cv2.INTER_AREA if size > side else cv2.INTER_LANCZOS4
    return np.asarray(cv2.resize(image[np.ix_(rows, columns)], (side, side), interpolation=shrinking), np.uint8)


def _mirrored(start: int, size: int, end: int) -> NDArray[np.intp]:
    """Return the indices from ``start``, reflected at 0 and at ``end`` - 1."""
    period = max(1, 2 * (end - 1))
    within = np.abs(np.arange(start, start + size)) % period
    return np.asarray(np.minimum(within, period - within), np.intp)
