"""Images to check parity on, and to calibrate the activations of an int8 network."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np

from facesecure.domain import Image
from facesecure.domain.errors import UsageError
from facesecure.vision.images.fitting import resized
from facesecure.vision.images.photos import read_photo
from facesecure_training.common.cropping import Cropper
from facesecure_training.common.photos import photos_below


def images_under(folder: Path) -> list[Path]:
    """Return every image under ``folder``, sorted. Raises UsageError if there is none."""
    found = photos_below(folder)
    if not found:
        raise UsageError(
            f"there are no images under {folder}", "make face crops with: facesecure-train dataset extract"
        )
    return found


def crops_under(folder: Path, size: tuple[int, int], limit: int, seed: int) -> list[Image]:
    """Return ``limit`` of the crops under ``folder``, drawn by ``seed``, as uint8 RGB of ``size`` (height, width).

    Raises UsageError if there is none, ImageError if one cannot be read.
    """
    found = images_under(folder)
    chosen = np.random.default_rng(seed).permutation(len(found))[:limit]
    return [resized(read_photo(found[number]), size) for number in sorted(chosen)]


def shipped_faces() -> list[Image]:
    """Return the aligned faces of the daemon's two portraits, and their mirror images: uint8 RGB (112, 112, 3)."""
    portraits = Path(str(resources.files("facesecure.camera.synthetic"))) / "photos"
    cropper = Cropper()
    crops = [crop for path in sorted(portraits.glob("*.jpg")) if (crop := cropper.crop(path)) is not None]
    return crops + [np.ascontiguousarray(crop[:, ::-1]) for crop in crops]


def shipped_samples(size: tuple[int, int]) -> list[Image]:
    """Return the shipped faces at three brightness levels each, of ``size`` (height, width)."""
    lights = [(face * light).astype(np.uint8) for face in shipped_faces() for light in (1.0, 0.7, 0.4)]
    return [resized(face, size) for face in lights]
