"""What naming a visitor would do, before it is done: which faces would be taken, and who the visitor looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facesecure.config import FacesecureConfig
from facesecure.domain.errors import EnrolmentError
from facesecure.domain.names import person_name
from facesecure.domain.records import StoredFace, Template, Visitor
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.sighting_enrolment import Judged, judged
from facesecure.recognition.similarity import Likeness, Lookalike, likeness
from facesecure.recognition.templates import template_of
from facesecure.services.enrolment import LoadModels
from facesecure.services.model_stack import enrolment_floors
from facesecure.storage.store import Store
from facesecure.storage.trusted_models import load_card
from facesecure.vision.images.quality import reassess

_LIKELIEST = 5


@dataclass(frozen=True, slots=True)
class SheetFace:
    """A face kept of a visitor. One with ``reasons`` is too poor to learn from."""

    face: StoredFace
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LikelyName:
    """A person enrolled whom a visitor looks like."""

    name: str
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class LikelyVisitor:
    """Another visitor, and how alike the two look; None if no more than strangers do."""

    visitor: Visitor
    likeness: Likeness | None


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """The faces of a visitor, the clearest first, and the people enrolled whom they look like, the closest first."""

    visitor: Visitor
    faces: tuple[SheetFace, ...]
    likeliest: tuple[LikelyName, ...]


@dataclass(frozen=True, slots=True)
class NamingPreview:
    """What naming a visitor ``name`` would do: each face as it is judged, in that order.

    ``problem`` says why nothing would be stored, and ``hint`` what to do; empty if it would be. ``enrolled`` is whether
    the person is enrolled already.
    """

    name: str
    enrolled: bool
    faces: tuple[Judged, ...]
    lookalikes: tuple[Lookalike, ...]
    problem: str = ""
    hint: str = ""


def contact_sheet(config: FacesecureConfig, store: Store, identifier: int) -> ContactSheet:
    """Return the faces kept of a visitor, with why one would not be learnt from, and the likeliest names.

    Loads no model. Raises UsageError if there is no such visitor, ModelError if the model has no card.
    """
    visitor, faces = store.visitors.find(identifier), store.visitors.faces(identifier)
    floors = enrolment_floors(config)
    sheet = [SheetFace(face, reassess(face.seen.face, floors).reasons) for face in faces]
    sheet.sort(key=lambda one: (bool(one.reasons), -one.face.seen.face.quality.clarity))
    return ContactSheet(visitor, tuple(sheet), tuple(likeliest(config, store, faces)))


def likeliest(config: FacesecureConfig, store: Store, faces: Sequence[StoredFace]) -> list[LikelyName]:
    """Return the people enrolled whom ``faces``, all of one person, look like, the closest first, five at most."""
    if not faces:
        return []
    model = ScoreModel.from_card(load_card(config.recognizer.embedding_model, store.state_dir))
    nearest = sorted(_closeness(store.templates(), faces).items(), key=lambda item: (-item[1], item[0]))
    words = [(name, likeness(closeness, model)) for name, closeness in nearest[:_LIKELIEST]]
    return [LikelyName(name, word) for name, word in words if word is not None]


def alike_visitors(config: FacesecureConfig, store: Store, identifier: int, most: int) -> list[LikelyVisitor]:
    """Return the other visitors without a name, those most like this one first; at most ``most``.

    Raises UsageError if there is no such visitor, ModelError if the model has no card.
    """
    model = ScoreModel.from_card(load_card(config.recognizer.embedding_model, store.state_dir))
    return [
        LikelyVisitor(store.visitors.find(number), likeness(closeness, model))
        for number, closeness in store.visitors.nearest(identifier)[:most]
    ]


def preview_naming(load_models: LoadModels, store: Store, identifier: int, name: str) -> NamingPreview:
    """Judge the faces of a visitor as ``name_visitor`` does, and store nothing.

    Raises UsageError if there is no such visitor or ``name`` is no name, EnrolmentError if a classifier is in use.
    """
    name, faces = person_name(name), store.visitors.faces(identifier)
    enrolment = load_models().enrolment_of(store, name)
    problem = hint = ""
    try:
        found = judged(enrolment, faces)
        enrolment.finish()
    except EnrolmentError as error:
        problem, hint = error.message, error.hint or ""
    verdicts = tuple(Judged(one.face, now) for one, now in zip(found, enrolment.candidates, strict=True))
    return NamingPreview(name, bool(enrolment.known), verdicts, tuple(enrolment.lookalikes()), problem, hint)


def _closeness(templates: Sequence[Template], faces: Sequence[StoredFace]) -> dict[str, float]:
    """Return the highest cosine between the mean of ``faces`` and the templates of each person."""
    model = faces[-1].seen.model_sha256
    mean = template_of(np.stack([face.seen.embedding for face in faces if face.seen.model_sha256 == model]))
    found = dict[str, float]()
    for template in templates:
        if template.model_sha256 == model:
            found[template.name] = max(found.get(template.name, -1.0), float(template.embedding @ mean))
    return found
