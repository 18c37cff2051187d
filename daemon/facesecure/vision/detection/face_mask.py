"""Ignore faces in the parts of the image that are not watched, and those that are too small for this camera."""

from __future__ import annotations

from collections.abc import Sequence

from facesecure.config.areas import Area
from facesecure.domain import Face
from facesecure.vision.detection.areas import WatchedArea

_NEARLY = 0.85
"""Share of the smallest face's width that is still taken: a detector's boxes vary by as much."""
_LEAST = 0.5
"""Share of a face's box that must be watched: a visitor's face in front of a narrow masked road is."""


class FaceMask:
    """Drops faces of which most lies in the areas of ``mask``, or outside all ``zones`` if there are any.

    It drops those narrower than ``min_face`` pixels, too: one detector may serve cameras of several settings.

    An area is a rectangle (left, top, right, bottom) or a polygon of corners (x, y), as fractions of the image.

    Example::

        faces = FaceMask([(0.0, 0.0, 0.3, 1.0)]).outside(detector.detect(image), (1280, 720))
    """

    def __init__(self, mask: Sequence[Area] = (), zones: Sequence[Area] = (), min_face: float = 0.0) -> None:
        self._narrowest = _NEARLY * min_face
        self._watched = WatchedArea(tuple(mask), tuple(zones))

    def outside(self, faces: Sequence[Face], size: tuple[int, int]) -> Sequence[Face]:
        """Return the faces that count, in the same order. ``size``: the image's (width, height) in pixels."""
        faces = [face for face in faces if face.box.width >= self._narrowest]
        if self._watched.is_everything:
            return faces
        return [face for face in faces if self._watched.share_of(face.box, size) >= _LEAST]
