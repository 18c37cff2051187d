"""Detect faces with YuNet, a one-stage network that OpenCV runs; pulled, not bundled.

Wu, Peng and Yu (2023), "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20. The file is
face_detection_yunet_2023mar.onnx of OpenCV's model zoo (MIT).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facesecure.domain import Face, Image
from facesecure.domain.errors import ModelError
from facesecure.vision.detection.boxes import make_faces, require_rgb, shrink

FILE = "face_detection_yunet_2023mar.onnx"

FACE_PIXELS = 20
"""Size to which the smallest face is reduced, pixels. Its authors name 10; measured on small, dark and blurred faces at
a confidence of 0.6, 10 finds 86 % of them, 16 97 %, 20 98 % and 24, at 1.4 times the cost, 99 %."""

MIN_SIDE = 8
"""Reduced images with a shorter side than this hold no face."""
MIN_CANVAS = 64
"""Smallest side of the network's input, pixels. OpenCV pads to multiples of 32, and where that leaves a single cell
along a side its convolutions read uninitialised memory: now and then false faces of confidence 1 appear."""

MAX_PIXELS = 2_000_000
"""Largest image that is searched; in larger ones only larger faces are found."""

OVERLAP = 0.3
MAX_FACES = 750
"""OpenCV's own figures for suppression: the overlap that is suppressed, and how many boxes are compared."""


class YuNet:
    """A Detector. It runs on OpenCV's threads (``cv2.setNumThreads``). Not safe for two threads at once.

    Example::

        faces = YuNet(state_dir / "models" / FILE).detect(image)
    """

    def __init__(self, path: Path, *, min_face: float = 40, confidence: float = 0.6, sha256: str | None = None) -> None:
        """Load the network. Raises ModelError if the file does not exist or OpenCV cannot read it.

        With ``sha256``, its bytes must have that hash.
        """
        self._network = _load(path, confidence, sha256)
        self._scale = min(FACE_PIXELS / min_face, 1.0)

    def detect(self, image: Image) -> list[Face]:
        """Return all faces in ``image`` (uint8 RGB, any size), largest first; confidence is the network's own.

        Raises ValueError if ``image`` is something else.
        """
        require_rgb(image)
        height, width = image.shape[:2]
        scale = min(self._scale, (MAX_PIXELS / (width * height)) ** 0.5)
        size = round(width * scale), round(height * scale)
        if min(size) < MIN_SIDE:
            return []
        rows = self._run(shrink(image, *size))
        return _faces(rows, np.array((width / size[0], height / size[1]), np.float32))

    def _run(self, image: Image) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return (n, 15): left, top, width, height, five landmarks and score, in pixels of ``image``."""
        canvas = _at_least(MIN_CANVAS, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        self._network.setInputSize((canvas.shape[1], canvas.shape[0]))
        _, found = self._network.detect(canvas)
        return np.empty((0, 15), np.float32) if found is None else np.asarray(found, np.float32)


def _at_least(side: int, image: cv2.typing.MatLike) -> cv2.typing.MatLike:
    """Return ``image`` padded with black on its right and below to at least ``side``."""
    height, width = image.shape[:2]
    if min(height, width) >= side:
        return image
    below, right = max(side - height, 0), max(side - width, 0)
    return cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT, value=0)


def _faces(rows: np.ndarray[Any, np.dtype[np.float32]], step: np.ndarray[Any, np.dtype[np.float32]]) -> list[Face]:
    corner, size, points = rows[:, :2], rows[:, 2:4], rows[:, 4:14].reshape(-1, 5, 2)
    boxes = np.hstack((corner * step, (corner + size) * step))
    # "Right eye" is the person's own, so the viewer's left one comes first already.
    return make_faces(boxes, points * step, rows[:, 14])


def _load(path: Path, confidence: float, sha256: str | None) -> cv2.FaceDetectorYN:
    if not path.is_file():
        raise ModelError(f"the YuNet detector is not installed ({path})", "fetch it: facesecure models pull yunet")
    content = path.read_bytes()
    if sha256 not in (None, hashlib.sha256(content).hexdigest()):
        raise ModelError(
            f"{path} is not the YuNet detector that this version uses: it is damaged, or was changed",
            "fetch it again: facesecure models pull yunet",
        )
    network, nothing = np.frombuffer(content, np.uint8), np.empty(0, np.uint8)
    try:
        return cv2.FaceDetectorYN.create("onnx", network, nothing, (320, 320), confidence, OVERLAP, MAX_FACES)
    except cv2.error as error:
        raise ModelError(f"OpenCV cannot read {path}", "fetch it again: facesecure models pull yunet") from error
