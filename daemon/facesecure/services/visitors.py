"""Visitors: people who came and are not enrolled. Show, name, merge and forget them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facesecure.config import FacesecureConfig
from facesecure.domain.names import person_name
from facesecure.domain.records import StoredFace, StoredSighting, Visitor
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.visitor_matching import MatchVisitor, VisitorMatcher
from facesecure.services import audit
from facesecure.services.enrolment import EnrolmentResult, LoadModels, enrol_from_sightings
from facesecure.storage.store import Store
from facesecure.storage.trusted_models import load_model


@dataclass(frozen=True, slots=True)
class VisitorDetails:
    """A visitor with the sightings of each visit and the faces kept of them."""

    visitor: Visitor
    visits: tuple[StoredSighting, ...]
    faces: tuple[StoredFace, ...]

    def faces_of(self, visit: StoredSighting) -> list[StoredFace]:
        """Return the faces kept of one visit."""
        return [face for face in self.faces if face.sighting == visit.identifier]


@dataclass(frozen=True, slots=True)
class NamedVisitor:
    """A visitor as they were before they were named, and the result of enrolling them."""

    visitor: Visitor
    enrolment: EnrolmentResult


def show_visitor(store: Store, identifier: int) -> VisitorDetails:
    """Return a visitor with every visit and face. Raises UsageError if there is no such visitor."""
    visitor, faces = store.visitors.find(identifier), store.visitors.faces(identifier)
    visits = [store.sighting(sighting) for sighting in store.visitors.visits(identifier)]
    return VisitorDetails(visitor, tuple(visits), tuple(faces))


def name_visitor(load_models: LoadModels, store: Store, identifier: int, name: str) -> NamedVisitor:
    """Enrol a visitor as ``name``, a new person or an enrolled one, and show past visits as that person's.

    Raises UsageError if there is no such visitor, and what ``enrol_from_sightings`` raises.

    Example::

        name_visitor(partial(ModelStack.load, config, state_dir), store, 3, "Anna")
    """
    name = person_name(name)
    visitor, faces = store.visitors.find(identifier), store.visitors.faces(identifier)
    result = enrol_from_sightings(
        load_models, store, name, faces, lambda accepted: store.visitors.name(identifier, name, accepted)
    )
    audit.record(store.state_dir, "visitor-named", f"visitor {identifier}", name)
    return NamedVisitor(visitor, result)


def merge_visitors(store: Store, kept: int, gone: int) -> Visitor:
    """Record that two visitors are one person: the visits of ``gone`` become those of ``kept``, who is returned.

    Raises UsageError if there is no such visitor, both are the same, or one was named.

    Example::

        merge_visitors(store, 3, 5)  # visitor 5 is no more
    """
    with audit.audited(store.state_dir, "visitors-merged", f"visitor {kept}", f"visitor {gone}"):
        return store.visitors.merge(kept, gone)


def forget_visitor(store: Store, identifier: int) -> Visitor:
    """Remove every face and snapshot of a visitor; that a sighting happened stays. Returns the visitor as they were.

    A visitor who was named stays enrolled. Raises UsageError if there is no such visitor.
    """
    with audit.audited(store.state_dir, "visitor-forgotten", f"visitor {identifier}"):
        return store.visitors.forget(identifier)


def visitor_matcher(config: FacesecureConfig, state_dir: Path) -> MatchVisitor:
    """Return the function that matches a visit to earlier visitors with the configured model. Raises ModelError."""
    model = load_model(config.recognizer.embedding_model, state_dir)
    return VisitorMatcher(ScoreModel.from_card(model.card)).match
