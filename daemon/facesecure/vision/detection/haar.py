"""Viola and Jones' cascade as OpenCV ships it, with O-Net to say where eyes, nose and mouth are.

Viola and Jones (2001), "Rapid Object Detection using a Boosted Cascade of Simple Features"; the cascade is OpenCV's
haarcascade_frontalface_default.xml. A cascade gives neither landmarks nor a confidence: both are O-Net's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Face, Image
from facesecure.domain.errors import ModelError
from facesecure.vision.detection.boxes import Boxes, make_faces, require_rgb, shrink, squared, suppress
from facesecure.vision.detection.mtcnn_networks import ONET_SIDE, CropNetwork, Judgement
from facesecure.vision.inference.model_card import Model

CASCADE = "haarcascade_frontalface_default.xml"

LARGEST_PICTURE = 2_000_000
"""Pixels that are searched, unless the picture is taken as it is; of larger pictures only larger faces are wanted."""

ONET_SHARE = 0.9
"""Side of the square that O-Net is shown, in sides of the cascade's box, which is generous: on LFW O-Net's 5th
percentile is best from 0.8 to 0.9 (0.995), and 0.990 for the box as it is."""


@dataclass(frozen=True, slots=True)
class HaarSettings:
    """How the cascade searches.

    ``face_pixels`` is what the smallest face is shrunk to before the search; None searches the picture as it is.
    ``smallest_box`` is in pixels of the picture searched. ``weed`` drops what O-Net does not take for a face, and
    lets O-Net move the box.
    """

    scale_factor: float
    min_neighbors: int
    smallest_box: int
    face_pixels: float | None
    weed: bool


DEFAULT = HaarSettings(1.1, 2, smallest_box=24, face_pixels=20, weed=True)
"""Measured (tests/bench/detectors.py): two neighbours find more than five, and O-Net weeds out what else they find."""

PISECUREHOME = HaarSettings(1.3, 3, smallest_box=30, face_pixels=None, weed=False)
"""As the 2020 report ran it: full size, and every box the cascade gives is a face, the box untouched. Only landmarks
and confidence, which it had not, are O-Net's; so here a confidence may be near 0, and none is too low."""


class Haar:
    """A Detector. Slow, and blind to faces that are turned; here to be compared with. Not safe for two threads."""

    def __init__(
        self,
        onet: Model,
        *,
        settings: HaarSettings = DEFAULT,
        min_face: float = 40,
        confidence: float = 0.8,
        threads: int = 1,
    ) -> None:
        self._cascade = load_cascade()
        self._settings, self._min_face, self._confidence = settings, min_face, confidence
        self._onet = CropNetwork(onet, ONET_SIDE, threads, landmarks=True)

    def detect(self, image: Image) -> list[Face]:
        """Frontal faces in ``image`` (uint8 RGB), largest first. Raises ValueError if ``image`` is something else."""
        require_rgb(image)
        boxes = self._search(image)
        judged = self._onet.judge(image, squared(boxes, ONET_SHARE))
        if not self._settings.weed:
            return make_faces(boxes, judged.landmarks, judged.scores)
        return _weeded(judged, self._confidence)

    def _search(self, image: Image) -> Boxes:
        """What the cascade finds, in pixels of ``image``."""
        settings, grey = self._settings, np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        height, width = grey.shape
        scale = self._scale(width * height)
        small = shrink(grey, max(round(width * scale), 1), max(round(height * scale), 1))
        smallest = (settings.smallest_box, settings.smallest_box)
        found = self._cascade.detectMultiScale(
            small, settings.scale_factor, minNeighbors=settings.min_neighbors, minSize=smallest
        )
        step = width / small.shape[1], height / small.shape[0]
        return _corners(found) * np.array(step * 2, np.float32)

    def _scale(self, pixels: int) -> float:
        """What the picture is multiplied by before the search; never enlarged."""
        wanted = self._settings.face_pixels
        return min(wanted / self._min_face, (LARGEST_PICTURE / pixels) ** 0.5, 1.0) if wanted else 1.0


def _corners(found: Any) -> Boxes:
    """OpenCV's (left, top, width, height), an empty tuple if there are none, as boxes."""
    boxes: NDArray[np.float32] = np.asarray(found, np.float32).reshape(-1, 4)
    return np.hstack((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]))


def _weeded(judged: Judgement, confidence: float) -> list[Face]:
    faces = judged.keep(judged.scores >= confidence)
    best = faces.keep(suppress(faces.boxes, faces.scores, 0.7, of_smaller=True))
    return make_faces(best.boxes, best.landmarks, best.scores)


def load_cascade() -> cv2.CascadeClassifier:
    """OpenCV's frontal cascade; ModelError if this OpenCV came without it."""
    path = Path(cv2.__file__).parent / "data" / CASCADE
    cascade = cv2.CascadeClassifier(str(path)) if path.is_file() else None
    if cascade is None or cascade.empty():
        raise ModelError(
            f"OpenCV came without {CASCADE}", "install opencv-python-headless below 5, or set detector.kind to mtcnn"
        )
    return cascade
