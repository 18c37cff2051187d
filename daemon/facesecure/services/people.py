"""Everything that is done with enrolled people: show, rename, forget, remove one face, export and import."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from facesecure.config import FacesecureConfig, RecognizerConfig
from facesecure.domain.errors import ModelError, StoreError, UsageError
from facesecure.domain.names import FORGOTTEN, name_key
from facesecure.domain.records import EnrolledFace, Person, Template
from facesecure.recognition import calibration
from facesecure.services import audit
from facesecure.services.drill.report import reword_reports
from facesecure.storage import archive
from facesecure.storage.archive import ArchivedPerson
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.store import DATABASE_NAME, Store
from facesecure.util.paths import expanded

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """A person with their faces and templates.

    ``similarity`` is the highest cosine between this person's templates and those of each other person, by name, the
    highest first; templates made by different models are not compared.
    """

    person: Person
    faces: tuple[EnrolledFace, ...]
    templates: tuple[Template, ...]
    similarity: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class ClassifierPeople:
    """The classifier in use, by the name on its card, and the people it was trained on."""

    model: str
    people: tuple[str, ...]


def show_person(store: Store, name: str) -> PersonDetails:
    """Return what is stored of the person called ``name``. Raises UsageError if there is none."""
    faces, templates = store.faces_of(name), store.templates()
    person = next(person for person in store.people() if name_key(person.name) == name_key(name))
    own = [template for template in templates if template.name == person.name]
    return PersonDetails(person, tuple(faces), tuple(own), tuple(_similarity(templates, own)))


def require_person(store: Store, name: str) -> None:
    """Raise UsageError, with a suggestion, if no person is called ``name``."""
    store.face_numbers(name)


def rename_person(store: Store, config: FacesecureConfig, state_dir: Path, name: str, new: str) -> Person:
    """Rename a person, in past sightings and other files too, and remove the recordings of the old name.

    Raises UsageError if no person is called ``name``, or ``new`` cannot be used.
    """
    with audit.audited(state_dir, "person-renamed", new):
        person = store.rename_person(name, new)
    finish_removals(store, config, state_dir)
    return person


def forget_person(store: Store, config: FacesecureConfig, state_dir: Path, name: str) -> Person:
    """Remove a person: faces, templates and name, in the store, the calibration, drills and the spoken recordings.

    That a sighting happened stays. If this is interrupted, ``finish_removals`` completes it. Returns the person as they
    were. Raises UsageError if there is none called ``name``, StoreError if a file cannot be changed.

    Example::

        forget_person(store, config, state_dir, "Anna")
    """
    with audit.audited(state_dir, "person-removed", name):
        person = store.remove_person(name)
    finish_removals(store, config, state_dir)
    return person


def finish_removals(store: Store, config: FacesecureConfig, state_dir: Path) -> None:
    """Complete what a removal or a renaming has left to do, if one was interrupted. Raises StoreError or OSError."""
    store.removals.erase()
    for removal in store.removals.named():
        if removal.becomes == FORGOTTEN:
            calibration.forget(SignedDocuments(state_dir), removal.name)
        else:
            calibration.rename(SignedDocuments(state_dir), removal.name, removal.becomes)
        reword_reports(state_dir, removal.name, removal.becomes)
        audit.forget_name(state_dir, removal.name, removal.becomes)
        _remove_recordings(store, config, state_dir)
        if removal.erased:
            store.removals.finish(removal)


def finish_interrupted(store: Store, config: FacesecureConfig, state_dir: Path) -> None:
    """Do what ``finish_removals`` does at the start of a command or of the daemon; log an error if it cannot."""
    try:
        finish_removals(store, config, state_dir)
    except (StoreError, OSError) as error:
        _log.error("a removal that was interrupted is not finished yet, and is tried again: %s", error)


def remove_face(store: Store, name: str, face: int) -> None:
    """Remove face number ``face`` of a person. Raises UsageError if it is not theirs, or is their last one."""
    if face not in store.face_numbers(name):
        raise UsageError(f"{name} has no face number {face}", f"facesecure people show {name!r} lists them")
    with audit.audited(store.state_dir, "face-removed", name, f"face {face}"):
        store.remove_face(face)


def export_people(
    store: Store, file: IO[bytes], passphrase: Callable[[], str], names: Sequence[str] | None = None
) -> list[Person]:
    """Write people, by default everyone enrolled, to ``file``, encrypted under a passphrase; return those written.

    Raises UsageError if one of ``names`` is not enrolled, or no person is.
    """
    written = archive.write_people(store, file, passphrase, names)
    audit.record(store.state_dir, "people-exported", *(person.name for person in written))
    return written


def read_export(file: Path, passphrase: Callable[[], str], *, unencrypted: bool = False) -> list[ArchivedPerson]:
    """Decrypt an exported file and return the people in it; one without encryption only if ``unencrypted`` is set.

    Raises UsageError if it cannot be read. ``people_import`` stores them.
    """
    return archive.read_people(expanded(file), passphrase, unencrypted=unencrypted)


def classifier_people(config: RecognizerConfig, state_dir: Path) -> ClassifierPeople | None:
    """Return the people of the classifier in use, or None if recognition uses embeddings. Raises ModelError."""
    if config.kind == "embedding":
        return None
    from facesecure.recognition.classifier import names_of
    from facesecure.storage.trusted_models import load_card

    card = load_card(config.model, state_dir)
    return ClassifierPeople(card.name, tuple(names_of(card)))


def known_names(config: RecognizerConfig, state_dir: Path, enrolled: Iterable[str]) -> list[str]:
    """Return the names of the people who can be recognised; ``enrolled`` are those in the store.

    Reads a classifier's card and loads no model. If the card cannot be read, returns ``enrolled``: the error is
    reported where the model is loaded.
    """
    try:
        classifier = classifier_people(config, state_dir)
    except ModelError:
        classifier = None
    return list(enrolled) if classifier is None else list(classifier.people)


def recognisable_names(config: FacesecureConfig, state_dir: Path) -> list[str]:
    """Return the names of the people who can be recognised, without creating a store where there is none yet."""
    if not (state_dir / DATABASE_NAME).exists():
        return known_names(config.recognizer, state_dir, [])
    with Store.open(state_dir, keep_snapshots=config.store.snapshots) as store:
        return known_names(config.recognizer, state_dir, [person.name for person in store.people()])


def _remove_recordings(store: Store, config: FacesecureConfig, state_dir: Path) -> None:
    """Remove the recordings of names that are no longer in use; the daemon records again what is still needed."""
    from facesecure.alerts.speech.announcements import forget_all_but

    enrolled = [person.name for person in store.people()]
    forget_all_but(config, state_dir, known_names(config.recognizer, state_dir, enrolled))


def _similarity(templates: Sequence[Template], own: Sequence[Template]) -> list[tuple[str, float]]:
    highest: dict[str, float] = {}
    for template in templates:
        for mine in own:
            if template.name != mine.name and template.model_sha256 == mine.model_sha256:
                cosine = float(template.embedding @ mine.embedding)
                highest[template.name] = max(cosine, highest.get(template.name, -1.0))
    return sorted(highest.items(), key=lambda item: (-item[1], item[0]))
