"""Small pictures of visits that show the face, cut out of their snapshots."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from facesecure.domain import Box, Image
from facesecure.domain.errors import ImageError
from facesecure.domain.records import StoredSighting
from facesecure.storage.store import Store
from facesecure.vision.images.codec import jpeg_bytes
from facesecure.vision.images.photos import photo_of

SIDE = 176
"""Width and height in pixels: sharp at 88 points on a phone."""
_AROUND = 2.4
"""Side of what is shown, in sides of the box around the face."""
_SMALLEST = 48
"""Pixels of the snapshot that are shown at least: a distant face needs something around it to be understood."""
_KEPT = 200
"""Thumbnails that are kept in memory, some 8 KB each."""


def thumbnail(store: Store, sighting: StoredSighting) -> bytes | None:
    """Return the JPEG of a small picture of ``sighting``; None if it has no snapshot, or a damaged one."""
    data = store.timeline.snapshot(sighting)
    if data is None:
        return None
    try:
        return _drawn(_Snapshot(sighting.identifier, data), sighting.box)
    except (ImageError, ValueError):
        return None


def portrait(store: Store, sighting: StoredSighting) -> bytes | None:
    """Return the JPEG of the face of ``sighting`` and what is around it, in the snapshot's own pixels; None as above.

    Sightings without a face are shown whole.
    """
    data = store.timeline.snapshot(sighting)
    if data is None:
        return None
    try:
        image = photo_of(data, sighting.identifier)
        return jpeg_bytes(np.ascontiguousarray(image if sighting.box is None else around(image, sighting.box)))
    except (ImageError, ValueError):
        return None


class _Snapshot:
    """A snapshot as a key of the cache: the same for the same bytes, which are not kept with it."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self.data = name, data
        self._key = (name, len(data), hash(data))

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Snapshot) and self._key == other._key

    def take(self) -> bytes:
        """Return the bytes, and forget them."""
        data, self.data = self.data, b""
        return data


@lru_cache(_KEPT)
def _drawn(snapshot: _Snapshot, box: Box | None) -> bytes:
    image = photo_of(snapshot.take(), snapshot.name)
    part = around(image, box)
    small = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA if part.shape[0] > SIDE else cv2.INTER_CUBIC)
    return jpeg_bytes(np.asarray(small, np.uint8))


def around(image: Image, box: Box | None) -> Image:
    """Return the square of ``image`` around ``box``, moved inward where it would leave it; its middle without a box."""
    height, width = image.shape[:2]
    most = min(height, width)
    if box is None:
        side, (x, y) = most, (width / 2, height / 2)
    else:
        wanted = max(_AROUND * max(box.right - box.left, box.bottom - box.top), _SMALLEST)
        side, (x, y) = round(min(most, wanted)), box.centre
    left = round(min(max(x - side / 2, 0), width - side))
    top = round(min(max(y - side / 2, 0), height - side))
    return image[top : top + side, left : left + side]
