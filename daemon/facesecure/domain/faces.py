"""Face types: the detection, its quality, and the aligned crop. Import them from ``facesecure.domain``."""

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
    """A rectangle in pixels; it may extend beyond the image.

    Example::

        Box(left=100, top=50, right=180, bottom=150).centre  # (140.0, 100.0)
    """

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
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """The centre (x, y) in pixels."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class Face:
    """A detection: the box, the confidence (0 to 1), and five landmarks, float32 (5, 2), ordered as LANDMARK_NAMES.

    Left and right are as seen in the image.
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
        """Distance between the eyes in pixels."""
        return float(np.hypot(*(self.landmarks[1] - self.landmarks[0])))


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of a face for recognition. ``reasons`` is empty exactly when the face is usable.

    eye_distance is in pixels; sharpness is relative to a typical sharp photo (about 1); brightness and contrast are 0
    to 255; yaw and pitch are estimates, -1 to 1 (0 is frontal); roll is in degrees; confidence is 0 to 1. ``clarity``
    (0 to 1) is the share of the face's similarity to its own person that an image of this quality keeps.
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
        """Whether the face is good enough to be recognised."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class AlignedFace:
    """The input of a recogniser: uint8 RGB (112, 112, 3), made by ``vision.images.align``, and its quality.

    ``loose`` is the face with its surroundings (``ContextCropper``), for a recogniser that needs it; else None.
    """

    image: Image
    quality: Quality
    loose: Image | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        require(self.image.shape == (112, 112, 3), f"an aligned face is (112, 112, 3), not {self.image.shape}")
        require(self.image.dtype == np.uint8, f"an aligned face is uint8, not {self.image.dtype}")
