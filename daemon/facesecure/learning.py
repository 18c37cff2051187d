"""Faces seen at the door become faces that somebody is known by, by the rules of enrolment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from facesecure.enrolment import Enrolment
from facesecure.store.records import EnrolledFace, StoredFace

MOST = 20
"""Faces taken of one visitor at a time; more of the same door teach nothing."""


def learn(enrolment: Enrolment, faces: Sequence[StoredFace]) -> list[EnrolledFace]:
    """The ``faces`` good enough to be known by, ready for the store; ``enrolment`` says of each why or why not.

    None where the person is known by all of them already. Raises EnrolmentError where too few are good.
    """
    ordered = list(_most_telling_first(faces))
    for face in ordered:
        _consider(enrolment, face)
    accepted = enrolment.accept()
    origins = [face.sighting for face, picture in zip(ordered, enrolment.pictures, strict=True) if picture.taken]
    return [replace(face, sighting=origin) for face, origin in zip(accepted, origins, strict=True)]


def _most_telling_first(faces: Sequence[StoredFace]) -> Iterator[StoredFace]:
    """The clearest, then always the one least like those before: twins, which enrolment refuses, come last."""
    left = sorted(faces, key=_clearest_first)
    nearest = [-1.0] * len(left)
    while left:
        index = min(range(len(left)), key=lambda number: round(nearest[number], 3))
        face = left.pop(index)
        nearest.pop(index)
        yield face
        nearest = [max(near, _alike(face, other)) for near, other in zip(nearest, left, strict=True)]


def _clearest_first(face: StoredFace) -> tuple[float, float]:
    quality = face.seen.face.quality
    return -round(quality.clarity, 2), -quality.eye_distance


def _alike(one: StoredFace, other: StoredFace) -> float:
    """Their cosine; embeddings of two models do not compare."""
    same = one.seen.model_sha256 == other.seen.model_sha256
    return float(one.seen.embedding @ other.seen.embedding) if same else 0.0


def _consider(enrolment: Enrolment, face: StoredFace) -> None:
    source = f"door {face.seen.taken_at.astimezone():%Y-%m-%d %H:%M:%S}, sighting {face.sighting[:8]}"
    if len(enrolment.taken) >= MOST:
        enrolment.refuse(source, f"{MOST} faces are enough")
    else:
        enrolment.consider_face(face.seen.face, source)
