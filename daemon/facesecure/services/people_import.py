"""Import people from an export: each face is judged again, as at enrolment, by this machine's models and floors.

The file says whose the faces are, and nothing else about them is believed: embeddings are made from the crops, and what
can be measured in a crop is measured again. Everything is judged before anything is stored, in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facesecure.domain import AlignedFace
from facesecure.domain.errors import EnrolmentError
from facesecure.domain.names import name_key
from facesecure.domain.records import EnrolledFace, Template
from facesecure.recognition.enrolment import Enrolment
from facesecure.recognition.templates import templates_of
from facesecure.services import audit
from facesecure.services.enrolment import LoadModels
from facesecure.services.model_stack import ModelStack
from facesecure.services.progress import Progress, ignore_progress
from facesecure.storage.archive import ArchivedPerson
from facesecure.storage.store import Store
from facesecure.vision.images.quality import remeasure


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A face that is not imported: where it came from, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Added:
    """The result of importing one person: faces ``added``, ``known`` already, and ``left_out``.

    ``problem`` says why the person is left out altogether; empty otherwise.
    """

    name: str
    added: int
    known: int
    left_out: tuple[LeftOut, ...] = ()
    problem: str = ""


def import_people(
    load_models: LoadModels, store: Store, arrivals: Sequence[ArchivedPerson], progress: Progress = ignore_progress
) -> list[Added]:
    """Add the people of an export to the store, all in one transaction, and report what was left out.

    A face is left out that is there already, is no face, is not good enough, or does not look like the person's others;
    a person of whom no face is left, or who is enrolled under another name.

    Raises UsageError if a name looks like an enrolled person's, EnrolmentError if a classifier is in use, ModelError.

    Example::

        import_people(partial(ModelStack.load, config, state_dir), store, read_export(path, passphrase))
    """
    models, earlier = load_models(), list[Template]()
    judged = list[tuple[Added, list[EnrolledFace]]]()
    for number, person in enumerate(arrivals, 1):
        judged.append(judge(models, store, person, earlier))
        earlier += _templates(models, person.name, judged[-1][1])
        progress("people", number, len(arrivals))
    store.add_people([(added.name, faces) for added, faces in judged if faces])
    audit.record(store.state_dir, "people-imported", *(added.name for added, faces in judged if faces))
    return [added for added, _ in judged]


def judge(
    models: ModelStack, store: Store, person: ArchivedPerson, earlier: Sequence[Template] = ()
) -> tuple[Added, list[EnrolledFace]]:
    """Return the result for one person, and the faces to store; ``earlier`` are people of the same file.

    Nothing is stored. Raises EnrolmentError if a classifier is in use.
    """
    enrolment = models.enrolment_of(store, person.name, earlier)
    enrolment.few = True  # whoever was enrolled with few faces comes back with few
    stored = _crops(store, person.name)
    for face, source in zip(person.faces, person.sources, strict=True):
        if face.image.tobytes() not in stored:
            quality = remeasure(face.image, face.quality, models.enrolment_floors)
            enrolment.add_face(AlignedFace(face.image, quality), source)
    faces, problem = _finished(enrolment)
    refused = [one for one in enrolment.candidates if not one.accepted and not one.known]
    left_out = tuple(LeftOut(one.source, one.reason) for one in refused)
    known = len(person.faces) - len(enrolment.candidates) + sum(one.known for one in enrolment.candidates)
    return Added(person.name, len(faces), known, left_out, problem), faces


def _crops(store: Store, name: str) -> set[bytes]:
    """Return the pixels of the faces that ``name`` is enrolled with; empty for a new person."""
    enrolled = name_key(name) in {name_key(person.name) for person in store.people()}
    return {face.image.tobytes() for face in store.faces_of(name)} if enrolled else set()


def _finished(enrolment: Enrolment) -> tuple[list[EnrolledFace], str]:
    """Return the faces to store, and why the person cannot be imported (empty if nothing is wrong)."""
    if not enrolment.candidates:
        return [], ""
    try:
        return enrolment.finish(), ""
    except EnrolmentError as error:
        return [], error.message if enrolment.accepted else "no face of this person is left"


def _templates(models: ModelStack, name: str, faces: Sequence[EnrolledFace]) -> list[Template]:
    if not faces:
        return []
    made = templates_of(np.stack([face.embedding for face in faces]))
    sha256, at = models.embedder.sha256, faces[0].added_at
    return [Template(name, one.direction, sha256, one.faces, at) for one in made]
