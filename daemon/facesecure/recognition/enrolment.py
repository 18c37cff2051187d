"""Takes pictures of one person, keeps what is good enough, and says why of the rest.

Nothing is written here: what ``Enrolment.accept`` returns goes to the store in one transaction, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from facesecure.config import QualityConfig
from facesecure.domain import AlignedFace, Embedding, Face, Image
from facesecure.domain.errors import EnrolmentError
from facesecure.domain.interfaces import Detector, Embedder
from facesecure.domain.records import Embeddings, EnrolledFace, StoredFace
from facesecure.recognition.clustering import MIN_CORE_SIMILARITY, Indices, cluster, similarity_to_core
from facesecure.recognition.human_filter import Doubts, accept_all
from facesecure.recognition.similarity import Lookalike, OtherPeople
from facesecure.vision.images.quality import ENROLMENT, examine, reassess

LEAST_FACES = 3
"""Fewer good faces than this make a template that chance decides."""
_SAME_PICTURE = 0.97
"""Cosine above which two faces are the same picture over again and the second adds nothing. Half of all photos are so
near themselves at another size, and one in 10,000 pairs of different photos of one person."""
_NEARER = 0.1
"""A face that is nearer than this much (cosine) to somebody else's templates than to the others is that person's."""
_SEVERAL = 0.5
"""A second group more than this large, of the largest, makes it unclear who is meant."""
_LISTED = 4
"""So many pictures of a person are named in a message."""
_RIVAL = 0.6
"""A second face at least this large (by eye distance, of the largest) makes it unclear who is meant."""


@dataclass(frozen=True, slots=True, eq=False)
class EnrolmentCandidate:
    """What became of one picture: ``taken`` with its face, or refused for ``reason``.

    ``known`` tells that it was refused because the person is known by it already.
    """

    source: str
    accepted: bool
    reason: str = ""
    face: AlignedFace | None = None
    embedding: Embedding | None = None
    known: bool = False


@dataclass(slots=True)
class Enrolment:
    """Collects pictures of one person. ``floors`` are the quality demanded of each.

    ``doubts`` says why an embedding is not surely a person's (``vision.personhood``).
    ``known``: embeddings, float32 (n,), of faces this person is enrolled with already; new ones must fit them.
    ``others`` are all the other people enrolled, who might be meant instead.
    """

    detector: Detector
    embedder: Embedder
    model_sha256: str
    known: Sequence[Embedding] = ()
    floors: QualityConfig = field(default_factory=lambda: ENROLMENT)
    doubts: Doubts = accept_all
    others: OtherPeople | None = None
    pictures: list[EnrolmentCandidate] = field(default_factory=list)

    @property
    def accepted(self) -> list[EnrolmentCandidate]:
        return [picture for picture in self.pictures if picture.accepted]

    def add_image(self, image: Image, source: str) -> EnrolmentCandidate:
        """Judge one picture (uint8 RGB); ``source`` is what to call it when talking to the user."""
        picture = self._consider(image, source)
        self.pictures.append(picture)
        return picture

    def add_face(self, face: AlignedFace, source: str) -> EnrolmentCandidate:
        """Judge a face that was cut out before, as one seen at the door was: by the same rules, and embedded anew."""
        picture = self._judged(replace(face, quality=reassess(face, self.floors)), source)
        self.pictures.append(picture)
        return picture

    def reject(self, source: str, reason: str) -> EnrolmentCandidate:
        """Note a picture that could not even be read, or needs no look."""
        picture = EnrolmentCandidate(source, accepted=False, reason=reason)
        self.pictures.append(picture)
        return picture

    def finish(self) -> list[EnrolledFace]:
        """The faces to keep, ready for ``Store.add_person``; none where all good ones are known already.

        Faces that do not look like the rest are refused first (see ``pictures`` for which and why). Raises
        EnrolmentError when fewer than LEAST_FACES are left, those already known included; when the pictures show
        several people and none of them is surely meant; and when it is somebody who has another name already.
        """
        self._refuse_outsiders()
        if not self.accepted and any(picture.known for picture in self.pictures):
            return []
        taken, needed = self.accepted, max(1, LEAST_FACES - len(self.known))
        if len(taken) < needed:
            raise EnrolmentError(
                f"only {len(taken)} good face{'s' if len(taken) != 1 else ''}; at least {needed} needed",
                "Add pictures: sharp, well lit, one face each, from slightly different sides and on different days.",
            )
        return [_enrolled(picture, self.model_sha256) for picture in taken]

    def lookalikes(self) -> list[Lookalike]:
        """Who else is enrolled and looks like this person, as far as the pictures taken show; the closest first."""
        faces = self._faces()
        return self.others.resembling(faces) if self.others and len(faces) else []

    def _consider(self, image: Image, source: str) -> EnrolmentCandidate:
        faces = self.detector.detect(image)
        problem = _not_one_face(faces)
        if problem:
            return EnrolmentCandidate(source, accepted=False, reason=problem)
        return self._judged(examine(image, _largest(faces), self.floors), source)

    def _judged(self, face: AlignedFace, source: str) -> EnrolmentCandidate:
        if not face.quality.usable:
            return EnrolmentCandidate(source, accepted=False, reason="; ".join(face.quality.reasons), face=face)
        embedding = self.embedder.embed(face.image)
        doubts = self.doubts(embedding)
        if doubts:
            return EnrolmentCandidate(source, accepted=False, reason="; ".join(doubts), face=face, embedding=embedding)
        if any(float(one @ embedding) > _SAME_PICTURE for one in self.known):
            reason = "nearly the same as one enrolled before"
            return EnrolmentCandidate(source, accepted=False, reason=reason, face=face, embedding=embedding, known=True)
        twin = self._twin(embedding)
        if twin:
            return EnrolmentCandidate(
                source, accepted=False, reason=f"nearly the same as {twin}", face=face, embedding=embedding
            )
        return EnrolmentCandidate(source, accepted=True, face=face, embedding=embedding)

    def _twin(self, embedding: Embedding) -> str | None:
        for other in self.accepted:
            if float(_embedding(other) @ embedding) > _SAME_PICTURE:
                return other.source
        return None

    def _faces(self) -> Embeddings:
        """Everything known and taken, float32 (k, n): what is known comes first."""
        return np.array([*self.known, *(_embedding(picture) for picture in self.accepted)], np.float32)

    def _refuse_outsiders(self) -> None:
        faces = self._faces()
        if len(faces) < LEAST_FACES:
            return
        core = self._core(cluster(faces))
        self._require_new(faces[core])
        fitting = similarity_to_core(faces, core)[len(self.known) :]
        for picture, fit in zip(self.accepted, fitting, strict=True):
            reason = self._misfit(_embedding(picture), float(fit))
            if reason:
                self.pictures[self.pictures.index(picture)] = replace(picture, accepted=False, reason=reason)

    def _core(self, groups: Sequence[Indices]) -> Indices:
        """The group that is meant: with the faces known before, or by far the largest. Raises EnrolmentError."""
        known = len(self.known)
        core = max(groups, key=lambda group: (int((group < known).sum()), len(group)))
        second = max((len(group) for group in groups if group is not core), default=0)
        if not known and second > max(1.0, _SEVERAL * len(core)):
            shown = [[self.accepted[number].source for number in group] for group in groups if len(group) > 1]
            raise EnrolmentError(
                f"these pictures show {len(shown)} people: {' | '.join(map(_some, shown))}",
                "Enrol each person with pictures of their own.",
            )
        return core

    def _require_new(self, core: Embeddings) -> None:
        """Raise EnrolmentError if a new name is asked for somebody who has one."""
        found = self.others.resembling(core) if self.others and not self.known else []
        if found and found[0].same:
            name = found[0].name
            raise EnrolmentError(
                f"these pictures show {name}, who is enrolled already ({found[0].closeness:.2f} alike)",
                f"For another name: facesecure people rename. For more pictures: facesecure enroll {name!r}. Twins "
                f"whom the camera cannot tell apart need one name for both.",
            )

    def _misfit(self, face: Embedding, fit: float) -> str | None:
        """Why a face that fits the others with the cosine ``fit`` is somebody else's; None if it is not."""
        name, score = (self.others.nearest(face) if self.others else None) or ("", -1.0)
        if score > max(fit, MIN_CORE_SIMILARITY) + _NEARER:
            return f"looks like {name} ({score:.2f}) more than like the others ({fit:.2f})"
        return (
            f"does not look like the others ({fit:.2f}, {MIN_CORE_SIMILARITY:.2f} needed)"
            if fit < MIN_CORE_SIMILARITY
            else None
        )


def _some(sources: Sequence[str]) -> str:
    """The first few of them."""
    more = len(sources) - _LISTED
    return ", ".join(sources[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _not_one_face(faces: Sequence[Face]) -> str | None:
    if not faces:
        return "no face found"
    largest = _largest(faces)
    rivals = [face for face in faces if face is not largest and face.eye_distance >= _RIVAL * largest.eye_distance]
    return f"{len(rivals) + 1} faces; which one is meant?" if rivals else None


def _largest(faces: Sequence[Face]) -> Face:
    return max(faces, key=lambda face: face.eye_distance)


def _enrolled(picture: EnrolmentCandidate, model_sha256: str) -> EnrolledFace:
    if picture.face is None:
        raise ValueError(f"{picture.source} has no face that could be enrolled")
    return EnrolledFace(picture.face.image, _embedding(picture), model_sha256, picture.face.quality, picture.source)


def _embedding(picture: EnrolmentCandidate) -> Embedding:
    if picture.embedding is None:
        raise ValueError(f"{picture.source} has no face that was embedded")
    return picture.embedding


MOST = 20
"""Faces taken of one visitor at a time; more of the same door teach nothing."""


def enrol_from_sightings(enrolment: Enrolment, faces: Sequence[StoredFace]) -> list[EnrolledFace]:
    """The ``faces`` good enough to be known by, ready for the store; ``enrolment`` says of each why or why not.

    None where the person is known by all of them already. Raises EnrolmentError where too few are good.
    """
    ordered = list(_most_telling_first(faces))
    for face in ordered:
        _consider(enrolment, face)
    accepted = enrolment.finish()
    origins = [face.sighting for face, picture in zip(ordered, enrolment.pictures, strict=True) if picture.accepted]
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
    if len(enrolment.accepted) >= MOST:
        enrolment.reject(source, f"{MOST} faces are enough")
    else:
        enrolment.add_face(face.seen.face, source)
