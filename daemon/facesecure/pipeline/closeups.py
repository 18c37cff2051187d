"""Take a small face from the camera's main stream: it has more pixels there than where it was detected.

Both streams show the same scene, each in its own size, a moment apart. The face is therefore looked for again in the
main stream, around the same place, and what is found there is used only if it is one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from facesecure.domain import Box, Face, Frame, Image
from facesecure.domain.interfaces import Detector

NearestFrame = Callable[[Frame], Frame | None]
"""Returns the main stream's frame of the same moment, None without one (``camera.main_stream.MainStream.near``)."""

_ENOUGH = 100.0
"""Width of a face in pixels from which more pixels do not help: it is recognised at 112 pixels."""
_AROUND = 2.4
"""Side of the searched square, in face sizes: a visitor moves between two frames."""
_SEARCHED = 192
"""The square is searched at this size, in pixels: a detector plans once for each size of image."""


@dataclass(frozen=True, slots=True)
class Closeups:
    """Looks for faces of a sub-stream in the main stream. Without ``nearest`` every face stays as it is.

    Example::

        image, face = Closeups(main.near).of(frame, track.face, models.detector)
    """

    nearest: NearestFrame | None = None

    def of(self, frame: Frame, face: Face, detector: Detector) -> tuple[Image, Face]:
        """Return the image to recognise ``face`` of ``frame`` in, uint8 RGB, and the face in that image's pixels."""
        main = self.nearest(frame) if self.nearest and face.box.width < _ENOUGH else None
        if main is None or main.pixels.size[0] <= frame.pixels.size[0]:
            return frame.image, face
        found = _found_again(main.image, _scaled(face.box, frame.pixels.size, main.pixels.size), detector)
        return (main.image, found) if found is not None else (frame.image, face)


def _scaled(box: Box, size: tuple[int, int], to: tuple[int, int]) -> Box:
    """Return ``box`` of an image of ``size`` (width, height) in the pixels of one of size ``to``."""
    x, y = to[0] / size[0], to[1] / size[1]
    return Box(box.left * x, box.top * y, box.right * x, box.bottom * y)


def _found_again(image: Image, expected: Box, detector: Detector) -> Face | None:
    """Return the face of ``image`` nearest to ``expected``, None if there is none whose centre lies within it."""
    height, width = image.shape[:2]
    side = round(_AROUND * max(expected.width, expected.height))
    if side > min(width, height):
        return None
    left, top = (
        round(min(max(centre - side / 2, 0), longest - side))
        for centre, longest in zip(expected.centre, (width, height), strict=True)
    )
    zoom = _SEARCHED / side
    square = cv2.resize(
        image[top : top + side, left : left + side], (_SEARCHED, _SEARCHED), interpolation=cv2.INTER_AREA
    )
    found = [_back(face, left, top, zoom) for face in detector.detect(np.asarray(square, np.uint8))]
    near = [face for face in found if _away(face, expected) <= 0.5]
    return min(near, key=lambda face: _away(face, expected), default=None)


def _back(face: Face, left: float, top: float, zoom: float) -> Face:
    """Return ``face`` of the square in the pixels of the image that it was cut from."""
    box = face.box
    corners = (box.left / zoom + left, box.top / zoom + top, box.right / zoom + left, box.bottom / zoom + top)
    landmarks = face.landmarks / zoom + np.array([left, top])
    return Face(Box(*corners), np.asarray(landmarks, np.float32), face.confidence)


def _away(face: Face, expected: Box) -> float:
    """Return how far the centre of ``face`` is from that of ``expected``, in sizes of the latter."""
    (x, y), (wanted_x, wanted_y) = face.box.centre, expected.centre
    return float(np.hypot(x - wanted_x, y - wanted_y)) / max(expected.width, expected.height)
