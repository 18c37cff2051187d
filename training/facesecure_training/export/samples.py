"""Images to check parity on, and to calibrate the activations of an int8 network."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import cv2
import numpy as np

from facesecure.domain import Image
from facesecure.domain.errors import UsageError
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


def resized(image: Image, size: tuple[int, int]) -> Image:
    """Return the centre of ``image`` in the shape of ``size`` (height, width), averaged down or interpolated up.

    This is how ``datasets.loading`` fits images for training. An image of that size is returned unchanged.
    """
    scale = min(image.shape[0] / size[0], image.shape[1] / size[1])
    height, width = (max(1, round(side * scale)) for side in size)
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    middle = image[top : top + height, left : left + width]
    if middle.shape[:2] == size:
        return middle
    how = cv2.INTER_AREA if height > size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(middle, (size[1], size[0]), interpolation=how), np.uint8)
