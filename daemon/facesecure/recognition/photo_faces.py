"""The faces in a photo for enrolment: whether just one person may be meant, and whether the photo is upright."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facesecure.domain import Face, Image
from facesecure.domain.interfaces import Detector

MAX_SECOND_FACE = 0.6
"""A second face of at least this share of the largest's eye distance makes it unclear who is meant."""
SURE = 0.9
"""Confidence from which a face that is found in a turned photo shows that the photo is not upright."""
NO_FACE = "no face found"
WHICH = "which one is meant?"


def contenders(faces: Sequence[Face], share: float = MAX_SECOND_FACE) -> list[Face]:
    """Return the faces of at least this ``share`` of the largest's eye distance, from left to right."""
    limit = share * max((face.eye_distance for face in faces), default=0.0)
    return sorted((face for face in faces if face.eye_distance >= limit), key=lambda face: face.box.centre[0])


def largest(faces: Sequence[Face]) -> Face:
    """Return the face with the largest distance between the eyes."""
    return max(faces, key=lambda face: face.eye_distance)


def turn_needed(detector: Detector, image: Image) -> str | None:
    """Return how ``image`` lies if a face is surely in it once it is turned; None if there is none then either."""
    for turns, words in ((1, "sideways"), (3, "sideways"), (2, "upside down")):
        faces = detector.detect(np.ascontiguousarray(np.rot90(image, turns)))
        if any(face.confidence >= SURE for face in faces):
            return f"the photo lies {words}"
    return None
