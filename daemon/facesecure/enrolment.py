"""Takes pictures of one person, keeps what is good enough, and says why of the rest.

Nothing is written before ``Enrolment.accept``; then everything is, in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facesecure.config import QualityConfig
from facesecure.domain import AlignedFace, Embedding, Face, Image
from facesecure.errors import EnrolmentError
from facesecure.recognize.gallery import template_of
from facesecure.stages import Detector, Embedder
from facesecure.vision.quality import ENROLMENT, examine

LEAST_FACES = 3
"""Fewer good faces than this make a template that chance decides."""
_SAME_PICTURE = 0.985
"""Cosine above which two faces are the same picture over again and the second adds nothing."""
_BELONGS = 0.35
"""Cosine to the others' mean below which a face is somebody else's; a third of the usual distance to oneself."""
_RIVAL = 0.6
"""A second face at least this large (by eye distance, of the largest) makes it unclear who is meant."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What became of one picture: ``taken`` with its face, or refused for ``reason``."""

    source: str
    taken: bool
    reason: str = ""
    face: AlignedFace | None = None
    embedding: Embedding | None = None


@dataclass(slots=True)
class Enrolment:
    """Collects pictures of one person. ``floors`` are the quality demanded of each."""

    detector: Detector
    embedder: Embedder
    floors: QualityConfig = field(default_factory=lambda: ENROLMENT)
    pictures: list[Picture] = field(default_factory=list)

    @property
    def taken(self) -> list[Picture]:
        return [picture for picture in self.pictures if picture.taken]

    def consider(self, image: Image, source: str) -> Picture:
        """Judge one picture (uint8 RGB); ``source`` is what to call it when talking to the user."""
        picture = self._consider(image, source)
        self.pictures.append(picture)
        return picture

    def refuse(self, source: str, reason: str) -> Picture:
        """Note a picture that could not even be read."""
        picture = Picture(source, taken=False, reason=reason)
        self.pictures.append(picture)
        return picture

    def accept(self) -> tuple[list[Picture], Embedding]:
        """The pictures to keep and the template they make.

        Faces that do not look like the rest are refused first (see ``pictures`` for which and why). Raises
        EnrolmentError when fewer than LEAST_FACES are left.
        """
        self._refuse_outsiders()
        taken = self.taken
        if len(taken) < LEAST_FACES:
            raise EnrolmentError(
                f"only {len(taken)} good face{'s' if len(taken) != 1 else ''}; {LEAST_FACES} are needed",
                "Add pictures: sharp, well lit, one face each, from slightly different sides and on different days.",
            )
        return taken, template_of(_stack(taken))

    def _consider(self, image: Image, source: str) -> Picture:
        faces = self.detector.detect(image)
        problem = _not_one_face(faces)
        if problem:
            return Picture(source, taken=False, reason=problem)
        face = examine(image, _largest(faces), self.floors)
        if not face.quality.usable:
            return Picture(source, taken=False, reason="; ".join(face.quality.reasons), face=face)
        embedding = self.embedder.embed(face.image)
        twin = self._twin(embedding)
        if twin:
            return Picture(source, taken=False, reason=f"nearly the same as {twin}", face=face, embedding=embedding)
        return Picture(source, taken=True, face=face, embedding=embedding)

    def _twin(self, embedding: Embedding) -> str | None:
        for other in self.taken:
            if other.embedding is not None and float(other.embedding @ embedding) > _SAME_PICTURE:
                return other.source
        return None

    def _refuse_outsiders(self) -> None:
        """One at a time, the least fitting first, because each that goes makes the others' mean truer."""
        while len(self.taken) >= LEAST_FACES:
            taken = self.taken
            fits = [_fit(_stack(taken), index) for index in range(len(taken))]
            worst = int(np.argmin(fits))
            if fits[worst] >= _BELONGS:
                return
            outsider = taken[worst]
            reason = f"does not look like the others ({fits[worst]:.2f}, {_BELONGS:.2f} needed)"
            refused = Picture(
                outsider.source, taken=False, reason=reason, face=outsider.face, embedding=outsider.embedding
            )
            self.pictures[self.pictures.index(outsider)] = refused


def _not_one_face(faces: Sequence[Face]) -> str | None:
    if not faces:
        return "no face found"
    largest = _largest(faces)
    rivals = [face for face in faces if face is not largest and face.eye_distance >= _RIVAL * largest.eye_distance]
    return f"{len(rivals) + 1} faces; which one is meant?" if rivals else None


def _largest(faces: Sequence[Face]) -> Face:
    return max(faces, key=lambda face: face.eye_distance)


def _stack(pictures: Sequence[Picture]) -> NDArray[np.float32]:
    return np.stack([picture.embedding for picture in pictures if picture.embedding is not None])


def _fit(embeddings: NDArray[np.float32], index: int) -> float:
    """Cosine of one embedding to the mean of the others."""
    others = np.delete(embeddings, index, axis=0)
    return float(template_of(others) @ embeddings[index])
