"""The faces kept of a visit: whether each may be learnt from, whom it looks like, and the score that a name needs."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from facesecure.config import FacesecureConfig
from facesecure.domain import Verdict
from facesecure.domain.records import StoredFace, StoredSighting
from facesecure.recognition.gallery import Gallery
from facesecure.recognition.impostor_model import impostor_model_of
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.thresholds import AcceptanceRule, LiveThresholds
from facesecure.services.model_stack import enrolment_floors
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.store import Store
from facesecure.storage.trusted_models import load_model
from facesecure.vision.images.quality import reassess

_NEAREST = 3
_STEPS = 40
"""Halvings of the range of cosines: to one in a million million."""

_thresholds: WeakKeyDictionary[Store, LiveThresholds] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class FaceScore:
    """How similar a face is to a person enrolled now: the cosine to the nearest of their templates."""

    name: str
    score: float


@dataclass(frozen=True, slots=True)
class JudgedFace:
    """A face kept of a visit: all of them counted. One with ``reasons`` is too poor to learn from.

    ``nearest`` are the people it looks like, the closest first.
    """

    face: StoredFace
    reasons: tuple[str, ...]
    nearest: tuple[FaceScore, ...]


@dataclass(frozen=True, slots=True)
class NameScore:
    """The score of a visit for a name, and the score that the name needs by the thresholds of now (None: not known)."""

    name: str
    score: float
    needed: float | None


def judged_faces(config: FacesecureConfig, store: Store, identifier: str) -> tuple[JudgedFace, ...]:
    """Return the faces kept of a sighting, oldest first. Loads no model."""
    floors, faces = enrolment_floors(config), store.faces_seen(identifier)
    galleries = {model: Gallery(store.templates(model)) for model in {face.seen.model_sha256 for face in faces}}
    return tuple(
        JudgedFace(face, reassess(face.seen.face, floors).reasons, _nearest(galleries[face.seen.model_sha256], face))
        for face in faces
    )


def name_scores(
    config: FacesecureConfig, store: Store, sighting: StoredSighting, best: str | None
) -> tuple[NameScore, ...]:
    """Return the two best names of a verdict with their scores, ``best`` first; none where a classifier names people.

    A name that is no longer enrolled needs no score.
    """
    verdict = sighting.verdict
    if config.recognizer.kind == "classifier":
        return ()
    return tuple(
        NameScore(name, score, _needed(config, store, name, verdict))
        for name, score in ((best, verdict.score), (verdict.second_name, verdict.second_score))
        if name is not None and score is not None
    )


def score_needed(rule: AcceptanceRule, false_accept: float, people: int, faces: float) -> float:
    """Return the least score with which a visit of ``faces`` clear faces is given a name, among ``people`` enrolled.

    It has to be as rare among strangers as ``false_accept`` and likelier than a stranger's (``recognition.decision``).
    """
    rate = false_accept if rule.false_accept is None else rule.false_accept
    rare = rule.scores.impostor.score_reached_with(rate / max(1, people), faces)
    return max(rare, _likelier(rule.scores, faces), rule.least)


def _nearest(gallery: Gallery, face: StoredFace) -> tuple[FaceScore, ...]:
    scores = sorted(gallery.scores(face.seen.embedding).items(), key=lambda item: (-item[1], item[0]))
    return tuple(FaceScore(name, score) for name, score in scores[:_NEAREST])


def _needed(config: FacesecureConfig, store: Store, name: str, verdict: Verdict) -> float | None:
    """Return what ``name`` needs now; None for a person who is not enrolled any more."""
    people = [person.name for person in store.people()]
    if name not in people:
        return None
    rule = _rules(config, store).of(name)
    return score_needed(rule, config.verdict.false_accept, len(people), max(1, verdict.faces_used))


def _rules(config: FacesecureConfig, store: Store) -> LiveThresholds:
    """Return the thresholds that follow ``store``, read once: with every reading they are logged."""
    if store not in _thresholds:
        model = load_model(config.recognizer.embedding_model, store.state_dir)
        _thresholds[store] = LiveThresholds(
            store.templates,
            store.people_revision,
            model.sha256,
            impostor_model_of(model),
            ScoreModel.from_card(model.card),
            SignedDocuments(store.state_dir),
            config.verdict.false_accept,
        )
    return _thresholds[store]


def _likelier(scores: ScoreModel, faces: float) -> float:
    """Return the score from which a visit is likelier the person's than a stranger's: it never falls as it rises."""
    low, high = -1.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if scores.log_likelihood_ratio(middle, faces) > 0 else (middle, high)
    return high
