"""Small makers of domain objects, so that a test only names what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from facesecure.domain import AlignedFace, Box, Face, Frame, Quality, Recognition
from facesecure.recognition.score_model import ScoreDistribution, ScoreModel
from facesecure.vision.images.align import TEMPLATE
from facesecure.vision.images.frames import RgbImage

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)

SCORES = ScoreModel(genuine=ScoreDistribution(0.81, 0.05, 0.08), impostor=ScoreDistribution(0.02, 0.13, 0.07))
"""A round-numbered model near that of the bundled embedder."""


def face_at(x: float, y: float, size: float = 100, confidence: float = 0.99) -> Face:
    """A frontal face in a square box of ``size`` pixels around (x, y)."""
    landmarks = (TEMPLATE - 56) * (size / 112) + (x, y)
    box = Box(x - size / 2, y - size / 2, x + size / 2, y + size / 2)
    return Face(box, landmarks.astype(np.float32), confidence)


def frame_at(seconds: float, index: int = 0, image: np.ndarray | None = None) -> Frame:
    """A frame ``seconds`` after noon on both clocks."""
    pixels = np.zeros((240, 320, 3), np.uint8) if image is None else image
    return Frame(index, seconds, RgbImage(pixels), NOON + timedelta(seconds=seconds))


def quality(clarity: float = 1.0, reasons: tuple[str, ...] = ()) -> Quality:
    return Quality(40, 1, 120, 45, 0, 0, 0, 0.99, clarity, reasons)


def aligned(reasons: tuple[str, ...] = ()) -> AlignedFace:
    return AlignedFace(np.zeros((112, 112, 3), np.uint8), quality(reasons=reasons))


def looks_like(**scores: float) -> Recognition:
    return Recognition(scores)
