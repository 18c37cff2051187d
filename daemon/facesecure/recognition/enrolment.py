"""Collect the faces of one person for enrolment: judge each image, and reject those that do not fit the others.

Nothing is stored here: what ``Enrolment.finish`` returns is stored in one transaction, or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from facesecure.config import QualityConfig
from facesecure.domain import AlignedFace, Box, Embedding, Face, Image
from facesecure.domain.errors import EnrolmentError
from facesecure.domain.interfaces import Detector, Embedder
from facesecure.domain.records import Embeddings, EnrolledFace
from facesecure.recognition.clustering import MIN_CORE_SIMILARITY, Indices, cluster, similarity_to_core
from facesecure.recognition.human_filter import Doubts, accept_all
from facesecure.recognition.photo_faces import MAX_SECOND_FACE, NO_FACE, SURE, WHICH, contenders, largest, turn_needed
from facesecure.recognition.similarity import Lookalike, OtherPeople
from facesecure.recognition.templates import MIN_FACES, template_of
from facesecure.util.rounding import apart
from facesecure.vision.images.quality import ENROLMENT, examine, reassess

_SAME_IMAGE = 0.97
"""Cosine above which two faces come from the same image and the second adds nothing. Half of all photos are this
similar to themselves at another size, and one in 10,000 pairs of different photos of one person."""
_NEARER_MARGIN = 0.1
"""A face whose cosine to another person's templates is higher by this margin than to the others is that person's."""
_MAX_SECOND_GROUP = 0.5
"""A second group of faces larger than this share of the largest makes it unclear who is meant."""
_LISTED = 4
"""Images of a person that an error message lists."""


@dataclass(frozen=True, slots=True, eq=False)
class EnrolmentCandidate:
    """The judgement of one image: accepted with its face, or rejected for ``reason``.

    ``known``: it was rejected because the person is enrolled with it already. ``hint``: what to do about the reason.
    """

    source: str
    accepted: bool
    reason: str = ""
    face: AlignedFace | None = None
    embedding: Embedding | None = None
    known: bool = False
    hint: str | None = None
    choices: tuple[Box, ...] = ()
    """Where the faces are in the photo, from left to right, if one of them must be chosen."""


@dataclass(slots=True)
class Enrolment:
    """Collects images of one person.

    ``known``: embeddings, float32 (n,), of the faces that this person is enrolled with; new ones must fit them.
    ``floors``: the quality that a face needs. ``doubts`` returns the reasons why an embedding may not be a person's.
    ``others``: the other people enrolled, who might be meant instead. ``few``: one good face is enough. Example::

        enrolment = models.enrolment_of(store, "Anna")
        enrolment.add_image(read_photo(path), path.name)
        store.add_person("Anna", enrolment.finish())
    """

    detector: Detector
    embedder: Embedder
    model_sha256: str
    known: Sequence[Embedding] = ()
    floors: QualityConfig = field(default_factory=lambda: ENROLMENT)
    doubts: Doubts = accept_all
    others: OtherPeople | None = None
    candidates: list[EnrolmentCandidate] = field(default_factory=list)
    few: bool = False
    _unclear: dict[str, list[AlignedFace]] = field(default_factory=dict, init=False)

    @property
    def accepted(self) -> list[EnrolmentCandidate]:
        """The candidates accepted so far."""
        return [candidate for candidate in self.candidates if candidate.accepted]

    def add_image(self, image: Image, source: str) -> EnrolmentCandidate:
        """Judge an image (uint8 RGB) with one face; ``source`` names it in messages."""
        return self._add(self._judged_image(image, source))

    def add_photo(self, image: Image, source: str, face: int | None = None) -> EnrolmentCandidate:
        """Judge a photo as ``add_image`` does; one that lies on its side, and does not say so, is rejected as such.

        Of several faces, number ``face`` is meant, counted from 1 at the left; without it ``finish`` takes the one that
        looks like the others of this enrolment, if just one does.
        """
        faces = contenders(self.detector.detect(image), MAX_SECOND_FACE if face is None else 0.0)
        if len(faces) > 1:
            return self._add(self._judged_group(image, source, faces, face))
        candidate = self._judged_image(image, source)
        if _no_sure_face(candidate) and (turn := turn_needed(self.detector, image)):
            candidate = EnrolmentCandidate(source, accepted=False, reason=f"{turn}; turn it upright and save it")
        return self._add(candidate)

    def choose(self, source: str, face: int) -> EnrolmentCandidate:
        """Judge face number ``face``, from 1 at the left, of a photo of which one must be chosen.

        Raises ValueError if it is no such photo, or has fewer faces.
        """
        choices = self._unclear.get(source, [])
        if not 1 <= face <= len(choices):
            raise ValueError(f"{source} has no face number {face} to choose")
        number = next(number for number, one in enumerate(self.candidates) if one.source == source)
        chosen = self._judged(self._unclear.pop(source)[face - 1], source)
        self.candidates[number] = chosen
        return chosen

    def drop(self, source: str) -> None:
        """Take back the image called ``source``."""
        self._unclear.pop(source, None)
        self.candidates[:] = [candidate for candidate in self.candidates if candidate.source != source]

    def rehearsal(self) -> Enrolment:
        """Return a copy, to see what ``finish`` would do."""
        copy = replace(self, candidates=list(self.candidates))
        copy._unclear = dict(self._unclear)
        return copy

    def add_face(self, face: AlignedFace, source: str) -> EnrolmentCandidate:
        """Judge a face that was cropped before, as from a sighting, by the same rules; it is embedded again."""
        return self._add(self._judged(replace(face, quality=reassess(face, self.floors)), source))

    def reject(self, source: str, reason: str, hint: str | None = None) -> EnrolmentCandidate:
        """Note an image that could not be read, or was not judged; ``hint`` says what to do about it."""
        return self._add(EnrolmentCandidate(source, accepted=False, reason=reason, hint=hint))

    def finish(self) -> list[EnrolledFace]:
        """Return the faces to store; an empty list if all good faces are enrolled already.

        Faces that do not look like the others are rejected first (see ``candidates``). Raises EnrolmentError if fewer
        than MIN_FACES are left (none, with ``few`` or for a person enrolled before), if the images show several people
        and it is unclear who is meant, or if the person is enrolled under another name.
        """
        self._choose_faces()
        self._reject_outsiders()
        if not self.accepted and any(candidate.known for candidate in self.candidates):
            return []
        accepted, needed = self.accepted, 1 if self.few or self.known else MIN_FACES
        if len(accepted) < needed:
            raise EnrolmentError(
                f"only {len(accepted)} good face{'s' if len(accepted) != 1 else ''}; at least {needed} needed",
                "Add photos: sharp, well lit, one face each, from slightly different sides and on different days."
                + (" If there are no more: --few enrols with these, at a stricter threshold." if accepted else ""),
            )
        return [_enrolled(candidate, self.model_sha256) for candidate in accepted]

    def lookalikes(self) -> list[Lookalike]:
        """Return the other people enrolled who look like this person, closest first."""
        faces = self._faces()
        return self.others.resembling(faces) if self.others and len(faces) else []

    def _add(self, candidate: EnrolmentCandidate) -> EnrolmentCandidate:
        self.candidates.append(candidate)
        return candidate

    def _judged_image(self, image: Image, source: str) -> EnrolmentCandidate:
        faces = self.detector.detect(image)
        if not faces or (count := len(contenders(faces))) > 1:
            problem = f"{count} faces; {WHICH}" if faces else NO_FACE
            return EnrolmentCandidate(source, accepted=False, reason=problem)
        return self._judged(examine(image, largest(faces), self.floors), source)

    def _judged_group(self, image: Image, source: str, faces: Sequence[Face], meant: int | None) -> EnrolmentCandidate:
        """Judge the face that is ``meant`` of several, or keep them all until ``finish``."""
        if meant is None:
            self._unclear[source] = [examine(image, face, self.floors) for face in faces]
            hint = "say which face is meant, counted from the left: --face 1; or add photos with one face only"
            reason, choices = f"{len(faces)} faces; {WHICH}", tuple(face.box for face in faces)
            return EnrolmentCandidate(source, accepted=False, reason=reason, hint=hint, choices=choices)
        if meant > len(faces):
            return EnrolmentCandidate(source, accepted=False, reason=f"only {len(faces)} faces, not {meant}")
        return self._judged(examine(image, faces[meant - 1], self.floors), source)

    def _choose_faces(self) -> None:
        """Take from each photo with several faces the one that looks like the others, where just one does."""
        faces = self._faces()
        if not self._unclear or not len(faces):
            return
        template = template_of(faces[self._core(cluster(faces))])
        for number, candidate in enumerate(self.candidates):
            choices = self._unclear.pop(candidate.source, [])
            scores = [float(template @ self.embedder.embed(face.image)) for face in choices]
            alike = [index for index, score in enumerate(scores) if score >= MIN_CORE_SIMILARITY]
            if len(alike) == 1:
                chosen = self._judged(choices[alike[0]], candidate.source)
                which = f"face {alike[0] + 1} of {len(choices)} from the left, which looks like the others"
                self.candidates[number] = replace(chosen, reason=chosen.reason or which)

    def _judged(self, face: AlignedFace, source: str) -> EnrolmentCandidate:
        if not face.quality.usable:
            return EnrolmentCandidate(source, accepted=False, reason="; ".join(face.quality.reasons), face=face)
        embedding = self.embedder.embed(face.image)
        candidate = EnrolmentCandidate(source, accepted=True, face=face, embedding=embedding)
        if doubts := self.doubts(embedding):
            return replace(candidate, accepted=False, reason="; ".join(doubts))
        if any(float(one @ embedding) > _SAME_IMAGE for one in self.known):
            return replace(candidate, accepted=False, reason="nearly the same as one enrolled before", known=True)
        if twin := self._twin(embedding):
            return replace(candidate, accepted=False, reason=f"nearly the same as {twin}")
        return candidate

    def _twin(self, embedding: Embedding) -> str | None:
        for other in self.accepted:
            if float(_embedding(other) @ embedding) > _SAME_IMAGE:
                return other.source
        return None

    def _faces(self) -> Embeddings:
        """Return the known and the accepted embeddings, in that order, float32 (k, n)."""
        return np.array([*self.known, *(_embedding(candidate) for candidate in self.accepted)], np.float32)

    def _reject_outsiders(self) -> None:
        faces = self._faces()
        if len(faces) < (1 if self.few or self.known else MIN_FACES):
            return
        core = self._core(cluster(faces))
        self._require_new(faces[core])
        similarities = similarity_to_core(faces, core)[len(self.known) :]
        for candidate, similarity in zip(self.accepted, similarities, strict=True):
            reason = self._misfit(_embedding(candidate), float(similarity))
            if reason:
                rejected = replace(candidate, accepted=False, reason=reason)
                self.candidates[self.candidates.index(candidate)] = rejected

    def _core(self, groups: Sequence[Indices]) -> Indices:
        """Return the group that is meant: with the known faces, or by far the largest. Raises EnrolmentError."""
        known = len(self.known)
        core = max(groups, key=lambda group: (int((group < known).sum()), len(group)))
        second = max((len(group) for group in groups if group is not core), default=0)
        unclear = second > max(1.0, _MAX_SECOND_GROUP * len(core)) or (self.few and second == len(core))
        if not known and unclear:
            least = min(2, len(core))
            shown = [[self.accepted[number].source for number in group] for group in groups if len(group) >= least]
            raise EnrolmentError(
                f"these photos show {len(shown)} people: {' | '.join(map(_some, shown))}",
                "Enrol each person with photos of their own.",
            )
        return core

    def _require_new(self, core: Embeddings) -> None:
        """Raise EnrolmentError if a new name is given to a person who has one."""
        found = self.others.resembling(core) if self.others and not self.known else []
        if found and found[0].same:
            name = found[0].name
            raise EnrolmentError(
                f"these photos show {name}, who is enrolled already ({found[0].closeness:.2f} alike)",
                f"For another name: facesecure people rename. For more photos: facesecure enroll {name!r}. Twins "
                f"whom the camera cannot tell apart need one name for both.",
            )

    def _misfit(self, face: Embedding, similarity: float) -> str | None:
        """Return why a face with this ``similarity`` (cosine) to the others is another person's; None if it is not."""
        name, score = (self.others.nearest(face) if self.others else None) or ("", -1.0)
        if score > max(similarity, MIN_CORE_SIMILARITY) + _NEARER_MARGIN:
            nearer, others = apart(score, similarity, 2)
            return f"looks like {name} ({nearer}) more than like the others ({others})"
        if similarity < MIN_CORE_SIMILARITY:
            found, needed = apart(similarity, MIN_CORE_SIMILARITY, 2)
            return f"does not look like the others ({found}, {needed} needed)"
        return None


def _some(sources: Sequence[str]) -> str:
    """Return the first few of ``sources``, and the number of the rest."""
    more = len(sources) - _LISTED
    return ", ".join(sources[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _no_sure_face(candidate: EnrolmentCandidate) -> bool:
    if candidate.face is None:
        return candidate.reason == NO_FACE
    return not candidate.accepted and candidate.face.quality.confidence < SURE


def _enrolled(candidate: EnrolmentCandidate, model_sha256: str) -> EnrolledFace:
    face, embedding = candidate.face, _embedding(candidate)
    if face is None:
        raise ValueError(f"{candidate.source} has no face that could be enrolled")
    return EnrolledFace(face.image, embedding, model_sha256, face.quality, candidate.source)


def _embedding(candidate: EnrolmentCandidate) -> Embedding:
    if candidate.embedding is None:
        raise ValueError(f"{candidate.source} has no face that was embedded")
    return candidate.embedding
