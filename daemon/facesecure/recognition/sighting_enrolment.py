"""Enrol a person from faces that the camera has seen, kept with sightings: the most informative ones first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from facesecure.domain.records import EnrolledFace, StoredFace
from facesecure.recognition.enrolment import Enrolment, EnrolmentCandidate

MAX_SIGHTING_FACES = 20
"""Faces taken from sightings at a time; more of the same camera add nothing."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A face kept with a sighting, and how it is judged."""

    face: StoredFace
    candidate: EnrolmentCandidate


def enrol_from_sightings(enrolment: Enrolment, faces: Sequence[StoredFace]) -> list[EnrolledFace]:
    """Return those of ``faces`` to store; the candidates of ``enrolment`` say why the others were rejected.

    The list is empty if the person is enrolled with all of them already. Raises EnrolmentError if too few are good.
    """
    ordered = [one.face for one in judged(enrolment, faces)]
    accepted = enrolment.finish()
    origins = [face.sighting for face, one in zip(ordered, enrolment.candidates, strict=True) if one.accepted]
    return [replace(face, sighting=origin) for face, origin in zip(accepted, origins, strict=True)]


def judged(enrolment: Enrolment, faces: Sequence[StoredFace]) -> list[Judged]:
    """Add ``faces`` to ``enrolment``, the most informative first, and return them in that order."""
    return [Judged(face, _add_sighting_face(enrolment, face)) for face in _most_informative_first(faces)]


def _most_informative_first(faces: Sequence[StoredFace]) -> Iterator[StoredFace]:
    """Yield the clearest face, then always the one least like those before, so that duplicates come last."""
    left = sorted(faces, key=_clearest_first)
    nearest = [-1.0] * len(left)
    while left:
        index = min(range(len(left)), key=lambda number: round(nearest[number], 3))
        face = left.pop(index)
        nearest.pop(index)
        yield face
        nearest = [max(near, _similarity(face, other)) for near, other in zip(nearest, left, strict=True)]


def _clearest_first(face: StoredFace) -> tuple[float, float]:
    quality = face.seen.face.quality
    return -round(quality.clarity, 2), -quality.eye_distance


def _similarity(one: StoredFace, other: StoredFace) -> float:
    """Return the cosine of two faces; 0 if different models embedded them."""
    same = one.seen.model_sha256 == other.seen.model_sha256
    return float(one.seen.embedding @ other.seen.embedding) if same else 0.0


def _add_sighting_face(enrolment: Enrolment, face: StoredFace) -> EnrolmentCandidate:
    source = f"door {face.seen.taken_at.astimezone():%Y-%m-%d %H:%M:%S}, sighting {face.sighting[:8]}"
    if len(enrolment.accepted) >= MAX_SIGHTING_FACES:
        return enrolment.reject(source, f"{MAX_SIGHTING_FACES} faces are enough")
    return enrolment.add_face(face.seen.face, source)
