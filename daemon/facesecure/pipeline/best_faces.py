"""Select the few faces of a visit that are worth keeping: clear, from different moments, and different in look."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median

from facesecure.domain import AlignedFace, Embedding, Recognition

MAX_FACES = 5
"""Faces kept of one visit; each takes 37 KB of memory."""
_TIME_SCALE = 1.0
"""Seconds after which another face of the same visit is worth nearly (63 %) as much as one from another day."""
_DISTANCE_SCALE = 0.03
"""Cosine distance from which a face adds something new to an enrolment."""
_ODD = 0.4
"""Median cosine to the others below which a face is odd, as of a head in quick motion: enrolment would refuse it."""
_ENOUGH_TO_TELL = 3
"""Other faces that are needed to call one odd."""


@dataclass(frozen=True, slots=True, eq=False)
class BestFace:
    """A usable face, its embedding by the model with ``model_sha256``, and its time: seconds on the source's clock."""

    face: AlignedFace
    embedding: Embedding
    model_sha256: str
    at: float


@dataclass(frozen=True, slots=True)
class BestFaces:
    """At most MAX_FACES faces of one track, in order of time.

    Example::

        best = BestFaces().add(face, recognition, frame.taken_at)
    """

    faces: tuple[BestFace, ...] = ()

    def add(self, face: AlignedFace, recognition: Recognition, at: float) -> BestFaces:
        """Return these faces with one more; beyond MAX_FACES, without the one that adds least."""
        if recognition.embedding is None or recognition.model_sha256 is None:
            return self
        faces = (*self.faces, BestFace(face, recognition.embedding, recognition.model_sha256, at))
        if len(faces) > MAX_FACES:
            least = min(range(len(faces)), key=lambda index: _value(faces, index))
            faces = faces[:least] + faces[least + 1 :]
        return replace(self, faces=faces)


def _value(faces: tuple[BestFace, ...], index: int) -> float:
    """Return the clarity of a face, times its distance from the nearest other in time, times that in embedding.

    An odd face is worth less than a second one of the same look: it would be kept for being different.
    """
    here = faces[index]
    others = [other for other in faces if other is not here]
    seconds = min(abs(here.at - other.at) for other in others)
    alike = [float(here.embedding @ other.embedding) for other in others]
    if len(alike) >= _ENOUGH_TO_TELL and median(alike) < _ODD:
        return -1.0
    distance = 1 - max(alike)
    return (
        here.face.quality.clarity * _saturated(seconds / _TIME_SCALE) * _saturated(max(0.0, distance) / _DISTANCE_SCALE)
    )


def _saturated(distance: float) -> float:
    """Map 0 to 0, and large distances towards 1."""
    return 1 - math.exp(-distance)
