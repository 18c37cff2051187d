"""Takes pictures of one person, keeps what is good enough, and says why of the rest.

Nothing is written here: what ``Enrolment.accept`` returns goes to the store in one transaction, or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from facesecure.config import QualityConfig
from facesecure.domain import AlignedFace, Embedding, Face, Image
from facesecure.errors import EnrolmentError
from facesecure.recognize.templates import template_of
from facesecure.stages import Detector, Embedder
from facesecure.store.records import EnrolledFace
from facesecure.vision.personhood import Doubts, nobody_doubted
from facesecure.vision.quality import ENROLMENT, examine, reassess

LEAST_FACES = 3
"""Fewer good faces than this make a template that chance decides."""
_SAME_PICTURE = 0.985
"""Cosine above which two faces are the same picture over again and the second adds nothing."""
_BELONGS = 0.35
"""Cosine to the others' mean below which a face is somebody else's; a third of the usual distance to oneself."""
_RIVAL = 0.6
"""A second face at least this large (by eye distance, of the largest) makes it unclear who is meant."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What became of one picture: ``taken`` with its face, or refused for ``reason``."""

    source: str
    taken: bool
    reason: str = ""
    face: AlignedFace | None = None
    embedding: Embedding | None = None


@dataclass(slots=True)
class Enrolment:
    """Collects pictures of one person. ``floors`` are the quality demanded of each.

    ``doubts`` says why an embedding is not surely a person's (``vision.personhood``).
    ``known``: embeddings, float32 (n,), of faces this person is enrolled with already; new ones must fit them.
    """

    detector: Detector
    embedder: Embedder
    model_sha256: str
    known: Sequence[Embedding] = ()
    floors: QualityConfig = field(default_factory=lambda: ENROLMENT)
    doubts: Doubts = nobody_doubted
    pictures: list[Picture] = field(default_factory=list)

    @property
    def taken(self) -> list[Picture]:
        return [picture for picture in self.pictures if picture.taken]

    def consider(self, image: Image, source: str) -> Picture:
        """Judge one picture (uint8 RGB); ``source`` is what to call it when talking to the user."""
        picture = self._consider(image, source)
        self.pictures.append(picture)
        return picture

    def consider_face(self, face: AlignedFace, source: str) -> Picture:
        """Judge a face that was cut out before, as one seen at the door was: by the same rules, and embedded anew."""
        picture = self._judged(replace(face, quality=reassess(face, self.floors)), source)
        self.pictures.append(picture)
        return picture

    def refuse(self, source: str, reason: str) -> Picture:
        """Note a picture that could not even be read, or needs no look."""
        picture = Picture(source, taken=False, reason=reason)
        self.pictures.append(picture)
        return picture

    def accept(self) -> list[EnrolledFace]:
        """The faces to keep, ready for ``Store.add_person``.

        Faces that do not look like the rest are refused first (see ``pictures`` for which and why). Raises
        EnrolmentError when fewer than LEAST_FACES are left, those already known included.
        """
        self._refuse_outsiders()
        taken, needed = self.taken, max(1, LEAST_FACES - len(self.known))
        if len(taken) < needed:
            raise EnrolmentError(
                f"only {len(taken)} good face{'s' if len(taken) != 1 else ''}; at least {needed} needed",
                "Add pictures: sharp, well lit, one face each, from slightly different sides and on different days.",
            )
        return [_enrolled(picture, self.model_sha256) for picture in taken]

    def _consider(self, image: Image, source: str) -> Picture:
        faces = self.detector.detect(image)
        problem = _not_one_face(faces)
        if problem:
            return Picture(source, taken=False, reason=problem)
        return self._judged(examine(image, _largest(faces), self.floors), source)

    def _judged(self, face: AlignedFace, source: str) -> Picture:
        if not face.quality.usable:
            return Picture(source, taken=False, reason="; ".join(face.quality.reasons), face=face)
        embedding = self.embedder.embed(face.image)
        doubts = self.doubts(embedding)
        if doubts:
            return Picture(source, taken=False, reason="; ".join(doubts), face=face, embedding=embedding)
        twin = self._twin(embedding)
        if twin:
            return Picture(source, taken=False, reason=f"nearly the same as {twin}", face=face, embedding=embedding)
        return Picture(source, taken=True, face=face, embedding=embedding)

    def _twin(self, embedding: Embedding) -> str | None:
        for other in self.taken:
            if float(_embedding(other) @ embedding) > _SAME_PICTURE:
                return other.source
        return None

    def _refuse_outsiders(self) -> None:
        """One at a time, the least fitting first, because each that goes makes the others' mean truer."""
        while len(self.taken) + len(self.known) >= LEAST_FACES:
            fits = [(self._fit(picture), picture) for picture in self.taken]
            if not fits or min(fit for fit, _ in fits) >= _BELONGS:
                return
            worst, outsider = min(fits, key=lambda item: item[0])
            reason = f"does not look like the others ({worst:.2f}, {_BELONGS:.2f} needed)"
            self.pictures[self.pictures.index(outsider)] = replace(outsider, taken=False, reason=reason)

    def _fit(self, picture: Picture) -> float:
        """Cosine of one face to the mean of the others."""
        others = [*self.known, *(_embedding(other) for other in self.taken if other is not picture)]
        return float(template_of(np.stack(others)) @ _embedding(picture))


def _not_one_face(faces: Sequence[Face]) -> str | None:
    if not faces:
        return "no face found"
    largest = _largest(faces)
    rivals = [face for face in faces if face is not largest and face.eye_distance >= _RIVAL * largest.eye_distance]
    return f"{len(rivals) + 1} faces; which one is meant?" if rivals else None


def _largest(faces: Sequence[Face]) -> Face:
    return max(faces, key=lambda face: face.eye_distance)


def _enrolled(picture: Picture, model_sha256: str) -> EnrolledFace:
    if picture.face is None:
        raise ValueError(f"{picture.source} has no face that could be enrolled")
    return EnrolledFace(picture.face.image, _embedding(picture), model_sha256, picture.face.quality, picture.source)


def _embedding(picture: Picture) -> Embedding:
    if picture.embedding is None:
        raise ValueError(f"{picture.source} has no face that was embedded")
    return picture.embedding
