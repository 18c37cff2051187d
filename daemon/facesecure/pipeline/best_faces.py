"""The few faces of a visit worth keeping: clear ones, from different moments, that look different."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from facesecure.domain import AlignedFace, Embedding, Recognition

MAX_FACES = 5
"""Faces kept of one visit; each is 37 KB while it lasts."""
_LATER = 1.0
"""Seconds after which another face of the same visit is worth nearly (63 %) as much as one from another day."""
_UNLIKE = 0.03
"""Cosine short of 1 at which a face is no longer the same picture over again, for enrolment."""


@dataclass(frozen=True, slots=True, eq=False)
class BestFace:
    """A usable face, its embedding by the model with ``model_sha256``, and when: seconds on the source's clock."""

    face: AlignedFace
    embedding: Embedding
    model_sha256: str
    at: float


@dataclass(frozen=True, slots=True)
class BestFaces:
    """At most MOST faces of one track, in order of time."""

    faces: tuple[BestFace, ...] = ()

    def add(self, face: AlignedFace, recognition: Recognition, at: float) -> BestFaces:
        """With one face more; where that is one too many, without the one that adds least."""
        if recognition.embedding is None or recognition.model_sha256 is None:
            return self
        faces = (*self.faces, BestFace(face, recognition.embedding, recognition.model_sha256, at))
        if len(faces) > MAX_FACES:
            least = min(range(len(faces)), key=lambda index: _worth(faces, index))
            faces = faces[:least] + faces[least + 1 :]
        return replace(self, faces=faces)


def _worth(faces: tuple[BestFace, ...], index: int) -> float:
    """Clarity, times how far away the nearest other face is in time, times how far in looks."""
    here = faces[index]
    others = [other for other in faces if other is not here]
    later = min(abs(here.at - other.at) for other in others)
    unlike = 1 - max(float(here.embedding @ other.embedding) for other in others)
    return here.face.quality.clarity * _reached(later / _LATER) * _reached(max(0.0, unlike) / _UNLIKE)


def _reached(distance: float) -> float:
    """0 at 0, towards 1 far away."""
    return 1 - math.exp(-distance)
