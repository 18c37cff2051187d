"""Aligned crops of the main face in a photo, made with the daemon's own detector and alignment.

There is no second implementation: training and the daemon see the same crops because the same code makes them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, Protocol

import cv2
import numpy as np

from facesecure.config import DetectorConfig
from facesecure.domain import Face, Image
from facesecure.domain.interfaces import Detector
from facesecure.vision.detection.factory import build_detector
from facesecure.vision.images import align
from facesecure.vision.images.codec import png_bytes, png_image
from facesecure.vision.images.photos import read_photo
from facesecure.vision.inference.card_files import available_models
from facesecure.vision.inference.model_card import load_model

DetectorKind = Literal["mtcnn", "haar", "yunet"]
_LARGE = 0.25
"""A face with this share of the largest one's area is large enough to be the subject."""


def subject(faces: Sequence[Face], size: tuple[int, int]) -> Face | None:
    """Return the main face of a photo: of the large faces, the one nearest to its centre.

    ``size`` is the photo's (width, height).
    """
    if not faces:
        return None
    least = _LARGE * max(face.box.area for face in faces)
    middle = np.array(size) / 2
    large = [face for face in faces if face.box.area >= least]
    return min(large, key=lambda face: float(np.hypot(*(face.box.centre - middle))))


class CropMaker(Protocol):
    """Makes the crop that a network sees from a photo, uint8 RGB; None if the photo has no face."""

    def crop(self, photo: Path) -> Image | None:
        """Return the crop, or None if there is no face."""


class PrecroppedPhotos:
    """For photos that are face crops already: returns each unchanged."""

    def crop(self, photo: Path) -> Image | None:
        """Return the photo. Raises ImageError if it cannot be read."""
        return read_photo(photo)


class Cropper:
    """Crops the main face of photos and keeps the crops in the folder ``cache``, if given.

    ``max_side`` shrinks larger photos before detection, to measure what a small photo costs. ``state_dir`` is the
    folder with downloaded models (YuNet).

    Example::

        crop = Cropper("mtcnn", cache=Path("build/crops")).crop(Path("ann.jpg"))
    """

    def __init__(
        self,
        kind: DetectorKind = "mtcnn",
        *,
        max_side: int | None = None,
        cache: Path | None = None,
        state_dir: Path | None = None,
        min_face: int = 20,
    ) -> None:
        models = state_dir / "models" if state_dir else None
        config = DetectorConfig.model_validate({"kind": kind, "min_face": min_face})
        self.detector: Detector = build_detector(config, models_dir=models)
        self._max_side = max_side
        self._cache = cache
        self.made_by = f"{kind} {min_face} {max_side} {align.ALIGNMENT} {_model_hashes()}"

    def crop(self, photo: Path) -> Image | None:
        """Return the aligned crop, uint8 RGB (112, 112, 3), or None if there is no face.

        Raises ImageError if the photo cannot be read.
        """
        if self._cache is None:
            return self._crop(photo)
        kept = self._cache / f"{self._key(photo)}.png"
        with suppress(FileNotFoundError, ValueError):  # a damaged one is made again
            return _unpacked(kept.read_bytes())
        found = self._crop(photo)
        self._cache.mkdir(parents=True, exist_ok=True)
        scratch = kept.with_suffix(f".{os.getpid()}")
        scratch.write_bytes(_packed(found))
        scratch.replace(kept)
        return found

    def _crop(self, photo: Path) -> Image | None:
        image = read_limited(photo, self._max_side)
        face = subject(self.detector.detect(image), (image.shape[1], image.shape[0]))
        return None if face is None else align.crop(image, face.landmarks)

    def _key(self, photo: Path) -> str:
        state = photo.stat()
        text = f"{self.made_by} {photo.resolve()} {state.st_mtime_ns} {state.st_size}"
        return hashlib.sha256(os.fsencode(text)).hexdigest()[:32]


def read_limited(photo: Path, max_side: int | None) -> Image:
    """Return the photo, uint8 RGB, shrunk so that no side is longer than ``max_side`` pixels. Raises ImageError."""
    image = read_photo(photo)
    height, width = image.shape[:2]
    if max_side is None or max(height, width) <= max_side:
        return image
    scale = max_side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _model_hashes() -> str:
    """Return the hashes of the detector's networks: another network makes other crops."""
    return " ".join(load_model(name).sha256[:8] for name in ("pnet", "rnet", "onet") if name in available_models())


def _packed(crop: Image | None) -> bytes:
    """Encode ``crop`` as PNG; no bytes stand for a photo without a face."""
    return b"" if crop is None else png_bytes(crop)


def _unpacked(content: bytes) -> Image | None:
    return png_image(content) if content else None
