"""Settings of an extraction. All of them decide what comes out, so none may change while one is unfinished."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

from facesecure.config import DetectorConfig
from facesecure.domain.errors import UsageError
from facesecure.vision.images import align
from facesecure.vision.inference.model_card import load_model

DetectorKind = Literal["mtcnn", "haar", "yunet"]
FaceChoice = Literal["all", "largest", "central", "tracked"]

_SIZE = re.compile(r"(\d{2,4})x(\d{2,4})")
_SIDES = (16, 2000)
"""The least and the most pixels of a side, as of --size."""


@dataclass(frozen=True, slots=True)
class CropShape:
    """How a face is cropped: aligned by its landmarks, or with its surroundings. ``size`` is (h, w)."""

    aligned: bool
    size: tuple[int, int]

    @classmethod
    def parse(cls, text: str, side: int = 224) -> CropShape:
        """Read "aligned", "square" (``side`` pixels) or "600x400" (width x height). Raises UsageError."""
        if text == "aligned":
            return cls(True, (align.SIZE, align.SIZE))
        if text == "square":
            return cls(False, (side, side))
        found = _SIZE.fullmatch(text)
        if not found:
            raise UsageError(f"--crop {text!r} is not known", "use aligned, square, or WIDTHxHEIGHT such as 600x400")
        width, height = int(found[1]), int(found[2])
        if not (_SIDES[0] <= min(width, height) and max(width, height) <= _SIDES[1]):
            raise UsageError(
                f"--crop {text!r} is not of {_SIDES[0]} to {_SIDES[1]} pixels each way", "use for instance 600x400"
            )
        return cls(False, (height, width))

    @property
    def made_by(self) -> str:
        """The daemon's name for this way of cropping."""
        return align.ALIGNMENT if self.aligned else align.CROP


@dataclass(frozen=True, slots=True)
class ExtractionSettings:
    """Which frames are searched, which faces are kept, and how they are cropped.

    ``stride``: every Nth frame. ``min_quality``: the lowest clarity, 0 to 1. ``margin``: around a crop that is not
    aligned. ``thin``: of two crops of a video that correlate more than this, one is dropped; 1 drops none. ``limit``:
    the most faces of one source, drawn at random by ``seed``.
    """

    shape: CropShape = CropShape(True, (align.SIZE, align.SIZE))
    detector: DetectorKind = "mtcnn"
    stride: int = 5
    faces: FaceChoice = "largest"
    min_quality: float = 0.4
    thin: float = 0.95
    margin: float = 0.25
    min_face: int = 40
    limit: int | None = None
    seed: int = 0

    @property
    def detection(self) -> DetectorConfig:
        """The settings of the daemon's detector."""
        return DetectorConfig.model_validate({"kind": self.detector, "min_face": self.min_face})

    @property
    def suffix(self) -> str:
        """The file suffix: aligned faces are small and stored without loss, loose ones as JPEGs of high quality."""
        return ".png" if self.shape.aligned else ".jpg"

    def described(self) -> dict[str, Any]:
        """Return everything that decides what comes out, for JSON, with the networks and the crop version."""
        networks = {"mtcnn": ("pnet", "rnet", "onet"), "haar": ("onet",), "yunet": ()}[self.detector]
        hashes = {name: load_model(name).sha256[:16] for name in networks}
        crop_size = f"{self.shape.size[1]}x{self.shape.size[0]}"
        plain = {name: value for name, value in asdict(self).items() if name != "shape"}
        return plain | {"crop": self.shape.made_by, "crop_size": crop_size, "networks": hashes}
