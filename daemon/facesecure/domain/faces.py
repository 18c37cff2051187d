"""A face in a picture: where it is, how much it is worth, and as a recogniser sees it. Import it from ``domain``."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Landmarks = NDArray[np.float32]

LANDMARK_NAMES = (
    "eye on the left",
    "eye on the right",
    "nose",
    "mouth corner on the left",
    "mouth corner on the right",
)


def require(condition: bool, complaint: str) -> None:
    """Raise ValueError with ``complaint`` unless ``condition`` holds."""
    if not condition:
        raise ValueError(complaint)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; may reach over the edge of the image."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        finite = np.isfinite((self.left, self.top, self.right, self.bottom)).all()
        require(bool(finite), "a box needs four finite numbers")
        require(self.right > self.left and self.bottom > self.top, f"box {self} is empty")

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class Face:
    """A detection: where, how sure (0 to 1), and five landmarks, float32 (5, 2), in LANDMARK_NAMES' order.

    Left and right are the viewer's, as in the image.
    """

    box: Box
    landmarks: Landmarks
    confidence: float

    def __post_init__(self) -> None:
        require(self.landmarks.shape == (5, 2), f"landmarks have shape {self.landmarks.shape}, not (5, 2)")
        require(self.landmarks.dtype == np.float32, f"landmarks are {self.landmarks.dtype}, not float32")
        require(bool(np.isfinite(self.landmarks).all()), "landmarks are not finite")
        require(0.0 <= self.confidence <= 1.0, f"confidence {self.confidence} is not within 0 and 1")

    @property
    def eye_distance(self) -> float:
        """Pixels between the eyes."""
        return float(np.hypot(*(self.landmarks[1] - self.landmarks[0])))


@dataclass(frozen=True, slots=True)
class Quality:
    """How much a face is worth for telling who it is. ``reasons`` is empty exactly when the face is usable.

    eye_distance in pixels; sharpness relative to a usual sharp photo (about 1); brightness and contrast 0 to 255; yaw
    and pitch are rough, -1 to 1 (0 is frontal); roll in degrees; confidence 0 to 1. ``clarity`` (0 to 1) is the share
    of the face's likeness to its own person that such a picture keeps.
    """

    eye_distance: float
    sharpness: float
    brightness: float
    contrast: float
    yaw: float
    pitch: float
    roll: float
    confidence: float
    clarity: float
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(0.0 <= self.clarity <= 1.0, f"clarity {self.clarity} is not within 0 and 1")

    @property
    def usable(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class AlignedFace:
    """What a recogniser sees: uint8 RGB (112, 112, 3) made by ``vision.align``, and how good it is.

    ``loose`` is the face with its surroundings (``vision.crop``), for the one look of a recogniser that asks for it.
    """

    image: Image
    quality: Quality
    loose: Image | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        require(self.image.shape == (112, 112, 3), f"an aligned face is (112, 112, 3), not {self.image.shape}")
        require(self.image.dtype == np.uint8, f"an aligned face is uint8, not {self.image.dtype}")
