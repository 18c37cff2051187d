"""Enrols people: from images, or from the faces kept with sightings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from facesecure.domain.errors import EnrolmentError
from facesecure.domain.names import name_key, person_name
from facesecure.domain.records import EnrolledFace, Person, StoredFace
from facesecure.recognition import sighting_enrolment
from facesecure.recognition.enrolment import Enrolment, EnrolmentCandidate
from facesecure.recognition.similarity import Lookalike
from facesecure.recognition.templates import MIN_FACES
from facesecure.services import audit
from facesecure.services.image_providers import ImageProvider
from facesecure.services.model_stack import ModelStack
from facesecure.services.progress import Progress, ignore_progress
from facesecure.storage.store import Store

LoadModels = Callable[[], ModelStack]
"""Returns the models: those that a daemon has loaded, or newly loaded ones. Raises ModelError."""
SaveFaces = Callable[[Sequence[EnrolledFace]], Person]
"""Stores the accepted faces of a person in one transaction, and returns the person."""


@dataclass(frozen=True, slots=True)
class EnrolmentResult:
    """The outcome of enrolling ``name``: ``person`` as stored, or None if nothing was stored.

    ``candidates`` holds each image or face in the order it was added, with the reason if it was refused; ``lookalikes``
    are other enrolled people who look like this one, the closest first.
    """

    name: str
    person: Person | None
    candidates: tuple[EnrolmentCandidate, ...]
    lookalikes: tuple[Lookalike, ...]

    @property
    def accepted(self) -> tuple[EnrolmentCandidate, ...]:
        """Return the candidates that were good enough."""
        return tuple(candidate for candidate in self.candidates if candidate.accepted)

    @property
    def few(self) -> bool:
        """Return whether the person is stored with so few faces that their threshold is stricter."""
        return self.person is not None and self.person.faces < MIN_FACES

    @property
    def refused(self) -> tuple[EnrolmentCandidate, ...]:
        """Return the candidates that were not."""
        return tuple(candidate for candidate in self.candidates if not candidate.accepted)


class EnrolmentRefused(EnrolmentError):
    """The person cannot be enrolled from these images; ``result`` says why for each of them."""

    def __init__(self, error: EnrolmentError, result: EnrolmentResult) -> None:
        """Take over the message and hint of ``error``."""
        super().__init__(error.message, error.hint)
        self.result = result


def enrol_from_images(
    load_models: LoadModels,
    store: Store,
    name: str,
    images: ImageProvider,
    progress: Progress = ignore_progress,
    announce: Callable[[str], None] = lambda _: None,
    *,
    few: bool = False,
) -> EnrolmentResult:
    """Enrol ``name``, new or not, from ``images``; store either all good faces or none.

    ``announce`` is called with the provider's advice to the person once the models are loaded. If all images show faces
    the person is enrolled with already, nothing is added and that is no error. With ``few`` one good face is enough.

    Raises UsageError if ``name`` is not a possible name, EnrolmentRefused if too few faces are good or it is unclear
    who is meant, EnrolmentError if a classifier is in use, SourceError if the provider gives no image.

    Example::

        photos = image_provider(config.camera, [Path("photos/anna")], None, None)
        result = enrol_from_images(partial(ModelStack.load, config, state_dir), store, "Anna", photos)
    """
    name = person_name(name)
    enrolment = load_models().enrolment_of(store, name)
    enrolment.few = few
    if images.advice:
        announce(images.advice.format(name=name))
    images.feed(enrolment, progress)
    return store_enrolment(store, name, enrolment)


def store_enrolment(store: Store, name: str, enrolment: Enrolment, *notes: str) -> EnrolmentResult:
    """Store the good faces of ``enrolment`` as those of ``name``, all or none. Raises EnrolmentRefused.

    ``notes`` are for the audit log.
    """
    try:
        faces = enrolment.finish()
    except EnrolmentError as error:
        raise EnrolmentRefused(error, _result(name, None, enrolment)) from error
    return _result(name, _add(store, name, faces, *notes), enrolment)


def enrol_from_sightings(
    load_models: LoadModels, store: Store, name: str, faces: Sequence[StoredFace], save: SaveFaces
) -> EnrolmentResult:
    """Enrol ``name``, new or not, from ``faces`` kept with sightings; call ``save`` with the accepted ones.

    Raises UsageError if ``name`` is not a possible name, EnrolmentRefused if too few are good or it is unclear who is
    meant, EnrolmentError if a classifier is in use.
    """
    name = person_name(name)
    enrolment = load_models().enrolment_of(store, name)
    try:
        accepted = sighting_enrolment.enrol_from_sightings(enrolment, faces)
    except EnrolmentError as error:
        raise EnrolmentRefused(_with_hint(error, enrolment, name), _result(name, None, enrolment)) from error
    return _result(name, save(accepted), enrolment)


def _add(store: Store, name: str, faces: Sequence[EnrolledFace], *notes: str) -> Person:
    """Add ``faces`` to the person and return them; without new faces the person is enrolled already."""
    if faces:
        with audit.audited(store.state_dir, "person-enrolled", name, *notes):
            return store.add_person(name, faces)
    return next(person for person in store.people() if name_key(person.name) == name_key(name))


def _with_hint(error: EnrolmentError, enrolment: Enrolment, name: str) -> EnrolmentError:
    """Replace the hint for photos: a person at the door cannot simply add more of them."""
    if len(enrolment.accepted) >= MIN_FACES:
        return error
    hint = f"wait for another visit, or enrol with photos: facesecure enroll {name!r} --images PATH..."
    return EnrolmentError(error.message, hint)


def _result(name: str, person: Person | None, enrolment: Enrolment) -> EnrolmentResult:
    return EnrolmentResult(name, person, tuple(enrolment.candidates), tuple(enrolment.lookalikes()))
