"""Recognise faces that never move: on a poster, in a picture on the wall, in the window of a shop.

Such a face is judged and reported once, like any other. Then its place is remembered, and a face that is found exactly
there is not tracked: it is not reported again, keeps no search going, and explains no movement elsewhere in the image.

A face counts as fixed when the means of its landmarks over eight blocks of two seconds differ by no more than 0.8 %
of its size (root mean square). Measured over 16 s on posters of 40 to 120 pixels, under JPEG and H.264 artefacts, noise
and changing light, at 2.5 and 5 searches a second: 0.1 to 0.4 % with mtcnn and haar, 0.1 to 0.6 % with yunet, except
1.4 % with yunet at 40 pixels in strong noise. A person who sits still and looks into the camera reaches 1.2 % within
four seconds, and more over a longer time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Face

_BLOCK = 2.0
"""Seconds over which landmarks are averaged, so that the detector's jitter does not count."""
_BLOCKS = 8
"""Blocks that are compared: 16 s, in which a verdict has long been reached."""
_STILL = 0.008
"""Root mean square deviation of the blocks' landmarks, in face sizes, up to which a face is fixed."""
_SAME_PLACE = 0.06
"""Distance of the landmarks, in face sizes, up to which a face is at the place of a fixed one. A single detection of a
poster of 44 pixels strays by 4 %; a person would have to hold the head within a centimetre of the picture's outline."""
_FOLLOW = 0.02
"""Weight of a new detection in the remembered landmarks: a camera sags, and infrared light shifts them a little."""
_REMEMBERED = 24 * 3600.0
"""Seconds for which a place is kept without its face: a poster that is dark at night is not announced every morning."""
_MAX_PLACES = 32
"""Places, and tracks lost lately, that are kept."""
_RESUMED = 600.0
"""Seconds within which a face that was lost and is found again at the same place goes on being the same still face."""

_Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Stillness:
    """How little a face has moved lately: ``means`` are the landmarks of the latest whole blocks, float64 (5, 2).

    ``total`` and ``count`` are those of the block that began at ``since``. Example::

        stillness = Stillness().add(face, frame.taken_at)
    """

    means: tuple[_Points, ...] = ()
    total: _Points | None = None
    count: int = 0
    since: float = 0.0

    def add(self, face: Face, at: float) -> Stillness:
        """Return this with a detection of the face at ``at``, seconds on the source's clock."""
        points = face.landmarks.astype(np.float64)
        if self.total is None:
            return replace(self, total=points, count=1, since=at)
        if at - self.since < _BLOCK:
            return replace(self, total=self.total + points, count=self.count + 1)
        return Stillness((*self.means, self.total / self.count)[-_BLOCKS:], points, 1, at)

    def is_fixed(self, size: float) -> bool:
        """Return whether a face of ``size`` pixels has not moved for the whole time that is compared."""
        if len(self.means) < _BLOCKS:
            return False
        return float(np.sqrt(np.var(self.means, axis=0).mean())) <= _STILL * size


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where a face is, or was: its mean landmarks, when it was last found there, and how still it has been."""

    face: Face
    points: _Points
    seen_at: float
    stillness: Stillness

    def distance(self, face: Face) -> float:
        """Return the root mean square distance of the landmarks, in face sizes."""
        apart = face.landmarks - self.points
        return float(np.sqrt((apart**2).mean())) / face_size(face)


class FixedFaces:
    """The places of faces that do not move, and of those that may turn out to.

    Example::

        fixed = FixedFaces()
        if stillness.is_fixed(face_size(face)):
            fixed.add(face, stillness, at)
        fixed.distance(face, at)  # below infinity: a face at one of the places
    """

    def __init__(self) -> None:
        self._places: tuple[_Place, ...] = ()
        self._lost: tuple[_Place, ...] = ()

    @property
    def faces(self) -> tuple[Face, ...]:
        """The latest detection at each remembered place."""
        return tuple(place.face for place in self._places)

    def add(self, face: Face, stillness: Stillness, at: float) -> None:
        """Remember the place of a face that turned out to be fixed; a place that it covers is replaced."""
        place = _Place(face, np.mean(stillness.means, axis=0), at, stillness)
        self._places = (*(old for old in self._places if place.distance(old.face) > 0.5), place)[-_MAX_PLACES:]

    def distance(self, face: Face, at: float) -> float:
        """Return how far ``face`` is from the nearest place, in face sizes; infinity if it is at none."""
        place = _nearest(self._places, face, at, _REMEMBERED)
        return place.distance(face) if place else float("inf")

    def see(self, face: Face, at: float) -> bool:
        """Note that ``face`` was found at the nearest place, at ``at``. Return whether it is at one."""
        place = _nearest(self._places, face, at, _REMEMBERED)
        if place is None:
            return False
        points = place.points + _FOLLOW * (face.landmarks - place.points)
        seen = replace(place, face=face, points=points, seen_at=at)
        self._places = tuple(seen if old is place else old for old in self._places)
        return True

    def lose(self, face: Face, stillness: Stillness, at: float) -> None:
        """Remember a lost face, last found at ``at``, for some minutes: a detector often misses a poor picture."""
        place = _Place(face, face.landmarks.astype(np.float64), at, stillness)
        self._lost = (*self._lost, place)[-_MAX_PLACES:]

    def resume(self, face: Face, at: float) -> Stillness:
        """Return the stillness of ``face``, which is new: that of a lost face at the same place, if there was one."""
        place = _nearest(self._lost, face, at, _RESUMED)
        if place is None:
            return Stillness().add(face, at)
        self._lost = tuple(old for old in self._lost if old is not place)
        return place.stillness.add(face, at)


def face_size(face: Face) -> float:
    """Return the mean of the width and height of a face, in pixels."""
    return (face.box.width + face.box.height) / 2


def _nearest(places: Sequence[_Place], face: Face, at: float, kept: float) -> _Place | None:
    """Return the nearest of the ``places`` that ``face`` is at and that were seen within ``kept`` seconds."""
    there = [place for place in places if at - place.seen_at <= kept and place.distance(face) <= _SAME_PLACE]
    return min(there, key=lambda place: place.distance(face), default=None)
