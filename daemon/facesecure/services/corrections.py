"""Corrects a sighting: it was this person, it was not, or it was a stranger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from facesecure.domain.names import person_name
from facesecure.domain.records import StoredSighting
from facesecure.recognition.visitor_matching import MatchVisitor
from facesecure.services import audit
from facesecure.services.enrolment import EnrolmentResult, LoadModels, enrol_from_sightings
from facesecure.storage.store import Store


@dataclass(frozen=True, slots=True)
class WasNot:
    """A sighting after it was corrected to a stranger: its faces are now those of visitor number ``visitor``.

    ``remembered`` counts those faces, ``removed`` the faces that were enrolled from the sighting and are not any more.
    """

    sighting: StoredSighting
    visitor: int
    remembered: int
    removed: int


@dataclass(frozen=True, slots=True)
class WasPerson:
    """A sighting after it was corrected to a person, and the result of enrolling its faces."""

    sighting: StoredSighting
    enrolment: EnrolmentResult


def correct_to_stranger(
    load_matcher: Callable[[], MatchVisitor], store: Store, identifier: str, name: str | None
) -> WasNot:
    """Record that a sighting was not ``name``, or with None that it was no enrolled person.

    Faces enrolled from it are removed from the person and kept as a stranger's, so that a person who looks more like
    them is not taken for the person again. ``identifier`` may be the beginning of the sighting's identifier.

    Raises UsageError if there is no such sighting or person, the sighting was not taken for them, no faces of it are
    kept, or the person would be left without a face; ModelError if ``load_matcher`` does.
    """
    sighting = store.sighting(identifier)
    visitor, removed = store.corrections.not_known(sighting.identifier, name, load_matcher())
    audit.record(store.state_dir, "sighting-corrected", f"event {sighting.identifier}", "a stranger")
    faces = len(store.faces_seen(sighting.identifier))
    return WasNot(store.sighting(sighting.identifier), visitor, faces, removed)


def correct_to_person(load_models: LoadModels, store: Store, identifier: str, name: str) -> WasPerson:
    """Record that a sighting was ``name``, a new person or an enrolled one, and enrol its faces.

    Raises UsageError if there is no such sighting or no faces of it are kept, and what ``enrol_from_sightings`` raises.

    Example::

        correct_to_person(partial(ModelStack.load, config, state_dir), store, "3f2a", "Tom")
    """
    sighting = store.sighting(identifier).identifier
    name = person_name(name)
    faces = store.corrections.faces(sighting)
    result = enrol_from_sightings(
        load_models, store, name, faces, lambda accepted: store.corrections.known(sighting, name, accepted)
    )
    audit.record(store.state_dir, "sighting-corrected", f"event {sighting}", name)
    return WasPerson(store.sighting(sighting), result)
