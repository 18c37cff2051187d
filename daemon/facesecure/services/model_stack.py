"""The models at work, loaded and checked by the configuration: to find faces, tell whose they are, and enrol them."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2

from facesecure.config import FacesecureConfig, QualityConfig, VerdictConfig
from facesecure.domain import Embedding
from facesecure.domain.errors import EnrolmentError
from facesecure.domain.interfaces import Detector, Recognizer
from facesecure.domain.names import name_key
from facesecure.domain.records import Reembedded, Template
from facesecure.recognition.classifier import ClassifierRecognizer, FaceClassifier
from facesecure.recognition.classifier_thresholds import ClassThresholds
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.embedder import EmbeddingRecognizer, ModelEmbedder
from facesecure.recognition.enrolment import Enrolment
from facesecure.recognition.gallery import Gallery, LiveGallery
from facesecure.recognition.human_filter import Doubts, human_filter_for
from facesecure.recognition.identify import Identifier
from facesecure.recognition.impostor_model import ImpostorModel, impostor_model_of
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.similarity import OtherPeople
from facesecure.recognition.thresholds import AcceptanceRules, LiveThresholds
from facesecure.storage.store import Store
from facesecure.vision.detection.factory import USABLE_CONFIDENCE, build_detector
from facesecure.vision.images.quality import ENROLMENT
from facesecure.vision.inference.model_card import load_model

_log = logging.getLogger(__name__)


_TRAIN_INSTEAD = (
    "put pictures or videos of everybody into a folder for each person, train again (facesecure-train dataset extract, "
    'train, export) and set [recognizer] model to what comes out; or set kind = "embedding" and enrol'
)


@dataclass(frozen=True, slots=True)
class ModelStack:
    """The models, loaded and checked: what ``run``, ``enroll`` and ``identify`` all need."""

    detector: Detector
    embedder: ModelEmbedder
    scores: ScoreModel
    strangers: ImpostorModel
    recognition_floors: QualityConfig
    """What a face must be worth to be recognised."""
    enrolment_floors: QualityConfig
    """What it must be worth to be enrolled."""
    human_filter: Doubts
    """Whether it is a person's at all."""
    classifier: FaceClassifier | None = None
    """What names people, where embeddings do not."""

    @classmethod
    def load(cls, config: FacesecureConfig, state_dir: Path) -> ModelStack:
        """Load what ``config`` names. Raises ModelError."""
        classifier = _classifier(config, state_dir) if config.recognizer.kind == "classifier" else None
        model = load_model(config.recognizer.embedding_model, state_dir)
        detector = build_detector(config.detector, models_dir=state_dir / "models")
        cv2.setNumThreads(1)  # a Pi's other cores are better used by capture and decoding
        sure = config.quality.min_confidence
        sure = USABLE_CONFIDENCE[config.detector.kind] if sure is None else sure
        watching, enrolling = (
            floors.model_copy(update={"min_confidence": sure}) for floors in (config.quality, ENROLMENT)
        )
        scores, strangers = ScoreModel.from_card(model.card), impostor_model_of(model)
        doubts = human_filter_for(model.card)
        return cls(detector, ModelEmbedder(model), scores, strangers, watching, enrolling, doubts, classifier)

    def names(self, store: Store) -> list[str]:
        """Who can be recognised: everybody in ``store``, or whom the classifier learnt."""
        return [person.name for person in store.people()] if self.classifier is None else list(self.classifier.names)

    def recognizer(self, store: Store) -> Recognizer:
        """A recogniser that knows everybody in ``store``, and within a second whoever is added; or the classifier."""
        if self.classifier is not None:
            return ClassifierRecognizer(self.classifier, self.embedder, self.embedder.sha256, self.human_filter)
        load = partial(self.templates, store)
        gallery = LiveGallery(load, store.people_revision, self.embedder.sha256, decoys=store.decoys)
        return EmbeddingRecognizer(self.embedder, gallery, self.human_filter)

    def templates(self, store: Store) -> list[Template]:
        """Everybody's templates, after those that another model made were made again."""
        renew(store, self.embedder)
        return store.templates()

    def standards(self, config: FacesecureConfig, store: Store, state_dir: Path) -> AcceptanceRules:
        """What to demand of whom: as calibrated, or else the safe default; of a classifier's, as its card says."""
        if self.classifier is not None:
            return _class_standards(self.classifier, config.verdict)
        return LiveThresholds(
            store.templates,
            store.people_revision,
            self.embedder.sha256,
            self.strangers,
            self.scores,
            state_dir,
            config.verdict.false_accept,
        )

    def identifier(self, config: FacesecureConfig, store: Store, state_dir: Path) -> Identifier:
        """For single pictures, where one face has to do."""
        single = VerdictConfig.model_validate({**config.verdict.model_dump(), "min_faces": 1})
        judge = VerdictRule(single, self.standards(config, store, state_dir))
        return Identifier(self.detector, self.recognizer(store), judge, self.recognition_floors)

    def enrolment(self, known: Sequence[Embedding] = (), others: OtherPeople | None = None) -> Enrolment:
        """To collect pictures of one person, whose faces enrolled so far are ``known``, beside ``others``.

        Raises EnrolmentError where a classifier is at work: it learns in training alone.
        """
        if self.classifier is not None:
            what = f"{self.classifier.card.name} is a classifier: it knows whom it learnt, and nobody can be enrolled"
            raise EnrolmentError(what, _TRAIN_INSTEAD)
        return Enrolment(
            self.detector, self.embedder, self.embedder.sha256, known, self.enrolment_floors, self.human_filter, others
        )

    def enrolment_of(self, store: Store, name: str) -> Enrolment:
        """To collect pictures of ``name``, new to ``store`` or not, beside everybody else who is enrolled there.

        Raises EnrolmentError as ``enrolment`` does.
        """
        templates = [one for one in self.templates(store) if one.model_sha256 == self.embedder.sha256]
        others = Gallery(one for one in templates if name_key(one.name) != name_key(name))
        enrolled = name_key(name) in {name_key(person.name) for person in store.people()}
        faces = store.faces_of(name) if enrolled else []
        known = [face.embedding for face in faces if face.model_sha256 == self.embedder.sha256]
        return self.enrolment(known, OtherPeople(others, self.scores))


def _classifier(config: FacesecureConfig, state_dir: Path) -> FaceClassifier:
    """Raises ModelError. Warns where another detector finds the faces than it learnt with."""
    found = FaceClassifier(load_model(config.recognizer.model, state_dir))
    loose, detector = found.facts.crop, config.detector.kind
    if loose is not None and loose.detector != detector:
        _log.warning(
            "%s learnt on faces that %s found, and %s draws its boxes otherwise: set [detector] kind, or train again",
            found.card.name,
            loose.detector,
            detector,
        )
    return found


def _class_standards(classifier: FaceClassifier, verdict: VerdictConfig) -> ClassThresholds:
    standards = ClassThresholds.from_card(classifier.card)
    for warning in standards.warnings(verdict.false_accept):
        _log.warning("%s: %s", classifier.card.name, warning)
    return standards


_PATIENCE = 1.0
"""Seconds after which somebody who waits wants to know what for, and then again after each as long."""


def renew(store: Store, embedder: ModelEmbedder) -> Reembedded:
    """Make the templates in ``store`` fit ``embedder``; one line in the log where there was anything to do.

    Faces that cannot be embedded again are named in the log, stay as they were, and are compared with nobody.
    """
    began, progress = time.monotonic(), _Progress()
    done = store.reembed(embedder.sha256, embedder.embed, done=progress)
    if done.faces:
        people, took = ", ".join(done.people), time.monotonic() - began
        _log.info("the model has changed: %d faces of %s embedded again in %.1f s", done.faces, people, took)
    for face in done.refused:
        _log.error(
            "face %d of %s could not be embedded again and does not count: %s", face.identifier, face.name, face.why
        )
    return done


class _Progress:
    """Says how far it is, once it takes long."""

    def __init__(self) -> None:
        self._due = time.monotonic() + _PATIENCE

    def __call__(self, done: int, of: int) -> None:
        if time.monotonic() >= self._due and done < of:
            self._due = time.monotonic() + _PATIENCE
            _log.warning("the model has changed: embedding enrolled faces again, %d of %d done", done, of)
