"""What is asked of an extraction; all of it decides what comes out, so none of it may change half way."""

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


@dataclass(frozen=True, slots=True)
class CropShape:
    """How a face is cut: aligned by its landmarks, or with its surroundings. ``size`` is (h, w)."""

    aligned: bool
    size: tuple[int, int]

    @classmethod
    def parse(cls, text: str, side: int = 224) -> CropShape:
        """From "aligned", "square" (``side`` pixels) or "600x400" (width x height). Raises UsageError."""
        if text == "aligned":
            return cls(True, (align.SIZE, align.SIZE))
        if text == "square":
            return cls(False, (side, side))
        found = _SIZE.fullmatch(text)
        if not found:
            raise UsageError(f"--crop {text!r} is not known", "use aligned, square, or WIDTHxHEIGHT such as 600x400")
        return cls(False, (int(found[2]), int(found[1])))

    @property
    def made_by(self) -> str:
        """The daemon's name for this way of cutting."""
        return align.ALIGNMENT if self.aligned else align.CROP


@dataclass(frozen=True, slots=True)
class ExtractionSettings:
    """``stride``: every so many-th frame. ``min_quality``: the least clarity, 0 to 1. ``margin``: around a loose crop.

    ``thin``: of two crops of a video that correlate by more than this, one is left out; 1 leaves none out.
    ``limit``: at most so many faces of one source, drawn at random by ``seed``.
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
        return DetectorConfig.model_validate({"kind": self.detector, "min_face": self.min_face})

    @property
    def suffix(self) -> str:
        """Aligned faces are small and kept without loss; loose ones are large, and kept as good JPEGs."""
        return ".png" if self.shape.aligned else ".jpg"

    def described(self) -> dict[str, Any]:
        """All that decides what comes out, as JSON has it, with the detector's networks and the way of cutting."""
        networks = {"mtcnn": ("pnet", "rnet", "onet"), "haar": ("onet",), "yunet": ()}[self.detector]
        hashes = {name: load_model(name).sha256[:16] for name in networks}
        crop_size = f"{self.shape.size[1]}x{self.shape.size[0]}"
        plain = {name: value for name, value in asdict(self).items() if name != "shape"}
        return plain | {"crop": self.shape.made_by, "crop_size": crop_size, "networks": hashes}
