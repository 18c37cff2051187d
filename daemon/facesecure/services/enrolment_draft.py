"""Enrol a person step by step: each picture is judged when it comes, and nothing is stored before ``save``.

What is kept until then is in memory only: the crops of faces, and a small view of each picture.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import cv2
import numpy as np

from facesecure.domain import Image
from facesecure.domain.errors import EnrolmentError, UsageError
from facesecure.domain.names import person_name
from facesecure.recognition.enrolment import Enrolment, EnrolmentCandidate
from facesecure.recognition.similarity import Lookalike
from facesecure.recognition.templates import MIN_FACES
from facesecure.services.enrolment import EnrolmentResult, store_enrolment
from facesecure.services.model_stack import ModelStack
from facesecure.storage.store import Store
from facesecure.vision.images.codec import jpeg_bytes

MOST_PICTURES = 30
"""Pictures of one enrolment: more of a person add nothing."""
_VIEW_SIDE = 480
"""Longest side of a picture's view, pixels."""


@dataclass(frozen=True, slots=True)
class DraftPicture:
    """A picture of a draft: its number, how it is judged, and a small JPEG of it with its size as it came."""

    number: int
    candidate: EnrolmentCandidate
    view: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What saving a draft would do now: the number of ``good`` faces, and how many are ``needed``.

    ``pictures`` are as saving would judge them: faces that do not fit the others are refused then. ``problem`` says why
    nothing would be stored and ``hint`` what to do, both empty if it would be. ``few``: it would be, with less than
    usual faces.
    """

    good: int
    needed: int
    pictures: tuple[DraftPicture, ...]
    lookalikes: tuple[Lookalike, ...]
    problem: str = ""
    hint: str = ""
    few: bool = False


class EnrolmentDraft:
    """An enrolment that is not saved yet. Safe for several threads; ``models`` are lent for each step.

    Example::

        draft = EnrolmentDraft(models, store, "Anna")
        draft.add(models, image, "anna.jpg")
        if not draft.standing(models).problem:
            draft.save(models, store)
    """

    def __init__(self, models: ModelStack, store: Store, name: str) -> None:
        """Begin to enrol ``name``, new or not.

        Raises UsageError if it is not a possible name, EnrolmentError if a classifier is in use.
        """
        self.name = person_name(name)
        self._enrolment = models.enrolment_of(store, self.name)
        self._pictures = dict[int, DraftPicture]()
        self._lock = threading.RLock()
        self._last = 0

    @property
    def enrolled(self) -> int:
        """The number of faces that the person is enrolled with already."""
        return len(self._enrolment.known)

    def add(self, models: ModelStack, image: Image, source: str) -> DraftPicture:
        """Judge an image, uint8 RGB, called ``source``. Raises UsageError if there are MOST_PICTURES already."""
        with self._lock:
            number = self._next_number()
            candidate = self._bound(models).add_photo(image, _source(number, source))
            height, width = image.shape[:2]
            self._pictures[number] = DraftPicture(number, candidate, _view(image), width, height)
            return self._pictures[number]

    def refuse(self, source: str, problem: str) -> DraftPicture:
        """Note a picture that could not be read, and why. Raises UsageError if there are MOST_PICTURES already."""
        with self._lock:
            number = self._next_number()
            candidate = self._enrolment.reject(_source(number, source), f"cannot be read: {problem}")
            self._pictures[number] = DraftPicture(number, candidate, b"", 0, 0)
            return self._pictures[number]

    def choose(self, models: ModelStack, number: int, face: int) -> DraftPicture:
        """Judge face number ``face``, from 1 at the left, of a picture with several. Raises UsageError for another."""
        with self._lock:
            picture = self.picture(number)
            try:
                chosen = self._bound(models).choose(picture.candidate.source, face)
            except ValueError:
                raise UsageError(f"picture {number} has no face number {face} to choose", "look at it again") from None
            self._pictures[number] = replace(picture, candidate=chosen)
            return self._pictures[number]

    def drop(self, number: int) -> None:
        """Take a picture back. Raises UsageError if there is no such picture."""
        with self._lock:
            self._enrolment.drop(self.picture(number).candidate.source)
            del self._pictures[number]

    def picture(self, number: int) -> DraftPicture:
        """Return a picture. Raises UsageError if there is no such picture."""
        with self._lock:
            if number not in self._pictures:
                raise UsageError(f"there is no picture {number} in this enrolment", "it may have been removed")
            return self._pictures[number]

    def standing(self, models: ModelStack) -> Standing:
        """Return what saving would do now, and change nothing."""
        with self._lock:
            trial = self._bound(models).rehearsal()
            problem, hint = _trial(trial)
            few = bool(problem) and not _trial(self._few())[0]
            pictures = tuple(self._as_judged(trial, one) for one in self._pictures.values())
            needed = 1 if trial.known else MIN_FACES
            good = len(trial.accepted)
            return Standing(good, needed, pictures, tuple(trial.lookalikes()), problem, hint, few)

    def save(self, models: ModelStack, store: Store, *notes: str, few: bool = False) -> EnrolmentResult:
        """Store all good faces, or none; with ``few`` one is enough. Who is enrolled is looked up again.

        ``notes`` are for the audit log.

        Raises EnrolmentRefused, as ``enrol_from_images`` does; the draft stays as it was then.
        """
        with self._lock:
            self._bound(models)
            final, now = self._enrolment.rehearsal(), models.enrolment_of(store, self.name)
            final.known, final.others, final.few = now.known, now.others, few
            return store_enrolment(store, self.name, final, *notes)

    def _next_number(self) -> int:
        if len(self._pictures) >= MOST_PICTURES:
            raise UsageError(f"{MOST_PICTURES} pictures are enough", "save, or remove a picture first")
        self._last += 1
        return self._last

    def _bound(self, models: ModelStack) -> Enrolment:
        """Return the enrolment with the ``models`` that are lent now: they may be others than at the last step."""
        self._enrolment.detector, self._enrolment.embedder = models.detector, models.embedder
        return self._enrolment

    def _few(self) -> Enrolment:
        trial = self._enrolment.rehearsal()
        trial.few = True
        return trial

    def _as_judged(self, trial: Enrolment, picture: DraftPicture) -> DraftPicture:
        found = next(one for one in trial.candidates if one.source == picture.candidate.source)
        return replace(picture, candidate=found)


def _trial(enrolment: Enrolment) -> tuple[str, str]:
    """Finish ``enrolment``; return why it fails and what to do, empty if it does not."""
    try:
        faces = enrolment.finish()
    except EnrolmentError as error:
        return error.message, error.hint or ""
    return ("", "") if faces else ("all these faces are enrolled already", "add pictures of other days and places")


def _source(number: int, name: str) -> str:
    return f"picture {number}, {name}" if name else f"picture {number}"


def _view(image: Image) -> bytes:
    """Return a small JPEG of ``image``."""
    factor = min(1.0, _VIEW_SIDE / max(image.shape[:2]))
    size = max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor))
    return jpeg_bytes(np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8))
