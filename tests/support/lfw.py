"""Photos of Labelled Faces in the Wild, where this machine has them; a test that asks for one is skipped elsewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from facesecure.config import DetectorConfig
from facesecure.domain import Image
from facesecure.domain.interfaces import Detector
from facesecure.recognition.embedder import ModelEmbedder
from facesecure.vision.detection.factory import build_detector
from facesecure.vision.images import align
from facesecure.vision.images.photos import read_photo
from facesecure.vision.inference.model_card import load_model
from support.faces import DATA

IMAGES = DATA / "lfw-dev" / "images"


def photos(person: str, count: int) -> list[Path]:
    """The first ``count`` photos of somebody."""
    if not IMAGES.is_dir():
        pytest.skip(f"needs Labelled Faces in the Wild in {IMAGES}")
    found = sorted((IMAGES / person).glob("*.jpg"))[:count]
    assert len(found) == count, f"{person} has {len(found)} photos"
    return found


@cache
def detector() -> Detector:
    return build_detector(DetectorConfig())


@cache
def embedder() -> ModelEmbedder:
    return ModelEmbedder(load_model("mobilefacenet"))


@cache
def crop(photo: Path) -> Image:
    """The largest face, aligned."""
    image = read_photo(photo)
    return align.crop(image, max(detector().detect(image), key=lambda face: face.eye_distance).landmarks)


def faces(person: str, count: int) -> np.ndarray:
    """Embeddings of somebody's first photos, as enrolment makes them: float32 (count, 192)."""
    return np.stack([embedder().embed(crop(photo)) for photo in photos(person, count)])
