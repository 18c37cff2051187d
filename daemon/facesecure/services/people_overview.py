"""Everyone who is enrolled, with how surely each is known, and what would remain of one who is removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from facesecure.config import FacesecureConfig
from facesecure.domain.errors import UsageError
from facesecure.domain.names import name_key
from facesecure.domain.records import EnrolledFace, Person, Template
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.similarity import Lookalike, lookalikes
from facesecure.recognition.templates import MIN_FACES
from facesecure.storage.store import Store
from facesecure.storage.trusted_models import load_card


class Sureness(StrEnum):
    """How surely a person is known.

    NOT: their row was changed outside of facesecure, and they are not recognised. FEW: with so few faces that their
    threshold is stricter. ALIKE: somebody looks like them, so that unclear faces of either get no name.
    """

    NOT = "not"
    FEW = "few"
    ALIKE = "alike"
    WELL = "well"


@dataclass(frozen=True, slots=True)
class PersonOverview:
    """A person, how surely they are known, and the other people who look like them, the closest first."""

    person: Person
    sureness: Sureness
    lookalikes: tuple[Lookalike, ...]


@dataclass(frozen=True, slots=True)
class Remains:
    """What removing a person does: ``faces`` are deleted, and ``visits`` stay without name, faces and snapshots."""

    person: Person
    faces: int
    visits: int


def overview(config: FacesecureConfig, store: Store) -> list[PersonOverview]:
    """Return everyone enrolled, by name. Raises ModelError if the model has no card."""
    card = load_card(config.recognizer.embedding_model, store.state_dir)
    model, templates = ScoreModel.from_card(card), store.templates()
    return [_overview(person, templates, model) for person in store.people()]


def overview_of(config: FacesecureConfig, store: Store, name: str) -> PersonOverview:
    """Return one person. Raises UsageError if none is called ``name``, ModelError."""
    store.face_numbers(name)
    return next(one for one in overview(config, store) if name_key(one.person.name) == name_key(name))


def face_of(store: Store, name: str, number: int | None = None) -> EnrolledFace:
    """Return face ``number`` of a person, or their clearest. Raises UsageError if there is no such person or face."""
    faces = store.faces_of(name)
    if number is None and faces:
        return max(faces, key=lambda face: face.quality.clarity)
    found = next((face for face in faces if face.identifier == number), None)
    if found is None:
        raise UsageError(f"{name} has no such face", "it may have been removed")
    return found


def remains_of(store: Store, name: str) -> Remains:
    """Return what removing a person would do. Raises UsageError if none is called ``name``."""
    faces = len(store.face_numbers(name))
    person = next(person for person in store.people() if name_key(person.name) == name_key(name))
    return Remains(person, faces, store.removals.visits_of(name))


def _overview(person: Person, templates: Sequence[Template], model: ScoreModel) -> PersonOverview:
    alike = tuple(lookalikes(_closeness(person, templates).items(), model))
    return PersonOverview(person, _sureness(person, bool(alike)), alike)


def _sureness(person: Person, alike: bool) -> Sureness:
    if not person.genuine:
        return Sureness.NOT
    if person.faces < MIN_FACES:
        return Sureness.FEW
    return Sureness.ALIKE if alike else Sureness.WELL


def _closeness(person: Person, templates: Sequence[Template]) -> dict[str, float]:
    """Return the highest cosine between the templates of a person and those of each other person."""
    found = dict[str, float]()
    for mine in (one for one in templates if one.name == person.name):
        for other in templates:
            if other.name != person.name and other.model_sha256 == mine.model_sha256:
                found[other.name] = max(found.get(other.name, -1.0), float(other.embedding @ mine.embedding))
    return found
