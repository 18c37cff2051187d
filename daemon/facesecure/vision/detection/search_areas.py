"""Search a part of an image for faces: where something moved, or near a face that is expected.

A detector that can do so has ``detect_in`` beside ``detect``; the others search the whole image each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from facesecure.domain import Box, Face, Image


@dataclass(frozen=True, slots=True)
class SearchArea:
    """A rectangle of an image, in pixels, to be searched for faces of ``smallest`` to ``largest`` pixels.

    Without ``smallest`` the detector's own limit holds, without ``largest`` the size of the rectangle. Example::

        SearchArea(Box(400, 200, 700, 900))
    """

    box: Box
    smallest: float | None = None
    largest: float | None = None

    @classmethod
    def near(cls, face: Box) -> SearchArea:
        """Return the surroundings of ``face``, where it, or the same face on a later frame, is expected."""
        (x, y), size = face.centre, (face.width + face.height) / 2
        reach = 1.1 * size
        return cls(Box(x - reach, y - reach, x + reach, y + reach), size, size)

    def wants(self, window: float) -> bool:
        """Return whether a window of this size, which finds faces up to twice as large, is to be searched with.

        The limits leave room for a face that is a sixth smaller: within 0.2 s nobody walks farther.
        """
        return (self.largest is None or window <= 1.6 * self.largest) and (
            self.smallest is None or window > 0.42 * self.smallest
        )


@runtime_checkable
class AreaDetector(Protocol):
    """A detector that can be told where to look."""

    def detect_in(self, image: Image, areas: Sequence[SearchArea]) -> Sequence[Face]:
        """Return the faces in ``areas`` of ``image`` (uint8 RGB, any size), largest first, each once."""
