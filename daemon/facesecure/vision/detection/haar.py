"""Detect faces with Viola and Jones' cascade, as OpenCV ships it, and find their landmarks with O-Net.

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
from facesecure.vision.detection.mtcnn_networks import ONET_SIDE, CropDetections, CropNetwork
from facesecure.vision.inference.backend import PROCESSOR, Backend
from facesecure.vision.inference.model_card import Model

CASCADE = "haarcascade_frontalface_default.xml"

MAX_PIXELS = 2_000_000
"""Largest image that is searched, unless it is searched at full size; in larger ones only larger faces are found."""

ONET_SHARE = 0.9
"""Side of the square given to O-Net, in sides of the cascade's box, which is large: on LFW the 5th percentile of
O-Net's scores is best from 0.8 to 0.9 (0.995), and 0.990 for the whole box."""


@dataclass(frozen=True, slots=True)
class HaarSettings:
    """Settings of the cascade's search.

    ``face_pixels`` is the size to which the smallest face is reduced before the search; None searches at full size.
    ``smallest_box`` is in pixels of the searched image. With ``verify``, boxes that O-Net rejects are dropped and the
    others moved by O-Net.
    """

    scale_factor: float
    min_neighbors: int
    smallest_box: int
    face_pixels: float | None
    verify: bool


DEFAULT = HaarSettings(1.1, 2, smallest_box=24, face_pixels=20, verify=True)
"""Measured with benchmarks/detectors.py: two neighbours find more than five, and O-Net rejects the false ones."""

PISECUREHOME = HaarSettings(1.3, 3, smallest_box=30, face_pixels=None, verify=False)
"""As in the report of 2020: full size, and every box of the cascade is a face, unchanged. Landmarks and confidence,
which that system did not have, are O-Net's; so a confidence may be near 0 here, and none is too low."""


class Haar:
    """A Detector for comparison: slow, and blind to turned faces. Not safe for two threads at once.

    Example::

        faces = Haar(load_model("onet")).detect(image)
    """

    def __init__(
        self,
        onet: Model,
        *,
        settings: HaarSettings = DEFAULT,
        min_face: float = 40,
        confidence: float = 0.8,
        backend: Backend = PROCESSOR,
    ) -> None:
        self._cascade = load_cascade()
        self._settings, self._min_face, self._confidence = settings, min_face, confidence
        self._onet = CropNetwork(onet, ONET_SIDE, backend, landmarks=True)

    def detect(self, image: Image) -> list[Face]:
        """Return the frontal faces in ``image`` (uint8 RGB), largest first. Raises ValueError for another type."""
        require_rgb(image)
        boxes = self._search(image)
        found = self._onet.detect(image, squared(boxes, ONET_SHARE))
        if not self._settings.verify:
            return make_faces(boxes, found.landmarks, found.scores)
        return _verified(found, self._confidence)

    def _search(self, image: Image) -> Boxes:
        """Return the cascade's boxes in pixels of ``image``."""
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
        """Return the factor by which the image is scaled before the search; at most 1."""
        wanted = self._settings.face_pixels
        return min(wanted / self._min_face, (MAX_PIXELS / pixels) ** 0.5, 1.0) if wanted else 1.0


def _corners(found: Any) -> Boxes:
    """Convert OpenCV's (left, top, width, height), an empty tuple if there are none, to boxes."""
    boxes: NDArray[np.float32] = np.asarray(found, np.float32).reshape(-1, 4)
    return np.hstack((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]))


def _verified(found: CropDetections, confidence: float) -> list[Face]:
    faces = found.keep(found.scores >= confidence)
    best = faces.keep(suppress(faces.boxes, faces.scores, 0.7, of_smaller=True))
    return make_faces(best.boxes, best.landmarks, best.scores)


def load_cascade() -> cv2.CascadeClassifier:
    """Load OpenCV's frontal cascade. Raises ModelError if this OpenCV lacks it."""
    path = Path(cv2.__file__).parent / "data" / CASCADE
    cascade = cv2.CascadeClassifier(str(path)) if path.is_file() else None
    if cascade is None or cascade.empty():
        raise ModelError(
            f"OpenCV came without {CASCADE}", "install opencv-python-headless below 5, or set detector.kind to mtcnn"
        )
    return cascade
