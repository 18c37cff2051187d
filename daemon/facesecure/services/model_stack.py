"""Load the models that the configuration names, and connect them with the store: recognition and enrolment.

``ModelStack`` holds the loaded models and makes from them what each command needs: a recogniser that follows the
store, an ``Identifier`` for images, an ``Enrolment`` for a person.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2

from facesecure.config import FacesecureConfig, QualityConfig, VerdictConfig
from facesecure.domain import Embedding
from facesecure.domain.errors import EnrolmentError, ModelError
from facesecure.domain.interfaces import Detector, Recognizer
from facesecure.domain.names import name_key
from facesecure.domain.records import Template
from facesecure.recognition.classifier import ClassifierRecognizer, FaceClassifier
from facesecure.recognition.classifier_thresholds import ClassThresholds
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.embedder import EmbeddingRecognizer, ModelEmbedder
from facesecure.recognition.enrolment import Enrolment
from facesecure.recognition.gallery import Gallery, LiveGallery
from facesecure.recognition.human_filter import Doubts, human_filter_for
from facesecure.recognition.identify import Identifier
from facesecure.recognition.impostor_model import ImpostorModel, impostor_model_of
from facesecure.recognition.liveness.antispoof import MODELS, Antispoof
from facesecure.recognition.score_model import ScoreModel
from facesecure.recognition.similarity import OtherPeople
from facesecure.recognition.thresholds import AcceptanceRules, LiveThresholds
from facesecure.recognition.visitor_matching import MatchVisitor, VisitorMatcher
from facesecure.services.accelerator import choose_backend
from facesecure.services.renewal import renew
from facesecure.storage.signed_documents import SignedDocuments
from facesecure.storage.store import Store
from facesecure.storage.trusted_models import load_model
from facesecure.vision.detection.factory import USABLE_CONFIDENCE, build_detector
from facesecure.vision.detection.subjects import MODEL as SUBJECTS_MODEL
from facesecure.vision.detection.subjects import SubjectDetector
from facesecure.vision.images.quality import ENROLMENT
from facesecure.vision.inference.backend import Backend

_log = logging.getLogger(__name__)

_TRAIN_INSTEAD = (
    "put photos or videos of every person into a folder of their own, train again (facesecure-train dataset extract, "
    'train, export) and set [recognizer] model to the result; or set kind = "embedding" and enrol'
)
_POLL_TIMEOUT = 0.02
"""Seconds that a poll for changes of the people may wait for the database."""

LoadTemplates = Callable[[], Sequence[Template]]


@dataclass(frozen=True, slots=True)
class ModelStack:
    """The models of one configuration, loaded and checked.

    ``recognition_floors`` and ``enrolment_floors`` are the quality that a face needs to be recognised and to be
    enrolled. ``human_filter`` gives the reasons why an embedding may not be a person's. ``classifier`` is set where
    people are named by a classifier instead of by embeddings, ``subjects`` where people without a face are looked for.
    Example::

        models = ModelStack.load(config, state_dir)
        with Store.open(state_dir) as store:
            reports = models.identifier(config, store, state_dir).identify(image)
    """

    detector: Detector
    embedder: ModelEmbedder
    scores: ScoreModel
    strangers: ImpostorModel
    recognition_floors: QualityConfig
    enrolment_floors: QualityConfig
    human_filter: Doubts
    classifier: FaceClassifier | None = None
    subjects: SubjectDetector | None = None
    antispoof: Antispoof | None = None
    """Tells a face from a picture of one, if its networks were pulled."""

    @classmethod
    def load(cls, config: FacesecureConfig, state_dir: Path) -> ModelStack:
        """Load the models that ``config`` names, from the package or from ``state_dir``/models. Raises ModelError.

        They run on the configured accelerator if it works, else on the processor.
        """
        (stack,) = cls.load_sets(config, state_dir, 1)
        return stack

    @classmethod
    def load_sets(cls, config: FacesecureConfig, state_dir: Path, count: int) -> list[ModelStack]:
        """Load the models ``count`` times, as ``load`` does: each set serves one thread at a time."""
        backend = choose_backend(config, state_dir)
        cv2.setNumThreads(1)  # a Pi's other cores are better used by capture and decoding
        return [cls._load(config, state_dir, backend) for _ in range(count)]

    @classmethod
    def _load(cls, config: FacesecureConfig, state_dir: Path, backend: Backend) -> ModelStack:
        classifier = _load_classifier(config, state_dir, backend) if config.recognizer.kind == "classifier" else None
        model = load_model(config.recognizer.embedding_model, state_dir)
        detector = build_detector(config.detector, models_dir=state_dir / "models", backend=backend)
        return cls(
            detector,
            ModelEmbedder(model, backend),
            ScoreModel.from_card(model.card),
            impostor_model_of(model),
            _with_confidence(config.quality, config),
            enrolment_floors(config),
            human_filter_for(model.card),
            classifier,
            SubjectDetector(load_model(SUBJECTS_MODEL), backend) if config.subjects.enabled else None,
            antispoof=_load_antispoof(config, state_dir),
        )

    @property
    def match_visitor(self) -> MatchVisitor:
        """The function that assigns a stranger's visit to an earlier visitor."""
        return VisitorMatcher(self.scores).match

    def names(self, store: Store) -> list[str]:
        """Return the names that can be recognised: those enrolled in ``store``, or the classifier's classes."""
        return [person.name for person in store.people()] if self.classifier is None else list(self.classifier.names)

    def recognizer(self, store: Store) -> Recognizer:
        """Return the classifier's recogniser, or one that follows the people in ``store`` within a second."""
        if self.classifier is not None:
            return ClassifierRecognizer(self.classifier, self.embedder, self.embedder.sha256, self.human_filter)
        load = partial(self.templates, store)
        gallery = LiveGallery(load, _revision_of(store), self.embedder.sha256, hard_negatives=store.hard_negatives)
        return EmbeddingRecognizer(self.embedder, gallery, self.human_filter)

    def templates(self, store: Store) -> list[Template]:
        """Return the templates in ``store``, after re-embedding the faces of another model (``renew``)."""
        renew(store, self.embedder)
        return store.templates()

    def acceptance_rules(
        self, config: FacesecureConfig, store: Store, state_dir: Path, templates: LoadTemplates | None = None
    ) -> AcceptanceRules:
        """Return the rules for accepting a name: as calibrated, by default, or as a classifier's card says.

        They are for those of ``templates``, by default the store's.
        """
        if self.classifier is not None:
            return _class_rules(self.classifier, config.verdict)
        return LiveThresholds(
            templates or store.templates,
            _revision_of(store),
            self.embedder.sha256,
            self.strangers,
            self.scores,
            SignedDocuments(state_dir),
            config.verdict.false_accept,
        )

    def identifier(
        self, config: FacesecureConfig, store: Store, state_dir: Path, *, single_image: bool = True
    ) -> Identifier:
        """Return the parts that identify a face, with the rule for a ``single_image`` or for a track."""
        rule = self.rule(config, store, state_dir, single_image=single_image)
        return self.judged_by(rule, store)

    def judged_by(self, rule: VerdictRule, store: Store) -> Identifier:
        """Return the parts that identify a face, with a ``rule`` that other sets of models may share."""
        return Identifier(
            self.detector,
            self.recognizer(store),
            rule,
            self.recognition_floors,
            self.subjects,
            antispoof=self.antispoof,
        )

    def rule(
        self,
        config: FacesecureConfig,
        store: Store,
        state_dir: Path,
        *,
        single_image: bool = False,
        templates: LoadTemplates | None = None,
    ) -> VerdictRule:
        """Return the rule for verdicts, for one thread.

        For a ``single_image`` one face is enough for a verdict; a track needs as many as the configuration says.
        ``templates`` are those of ``acceptance_rules``.
        """
        verdict = config.verdict
        if single_image:
            verdict = VerdictConfig.model_validate({**verdict.model_dump(), "min_faces": 1})
        return VerdictRule(verdict, self.acceptance_rules(config, store, state_dir, templates))

    def enrolment(self, known: Sequence[Embedding] = (), others: OtherPeople | None = None) -> Enrolment:
        """Return an empty enrolment of one person, given the embeddings ``known`` of faces enrolled before.

        ``others`` are the other people enrolled. Raises EnrolmentError where a classifier names people: it learns in
        training only.
        """
        if self.classifier is not None:
            name = self.classifier.card.name
            what = f"{name} is a classifier: it recognises the people it was trained on, and no one can be enrolled"
            raise EnrolmentError(what, _TRAIN_INSTEAD)
        return Enrolment(
            self.detector, self.embedder, self.embedder.sha256, known, self.enrolment_floors, self.human_filter, others
        )

    def enrolment_of(self, store: Store, name: str, beside: Sequence[Template] = ()) -> Enrolment:
        """Return an enrolment of ``name``, who may be in ``store`` already, beside all others enrolled there.

        ``beside`` are templates of people who are about to be enrolled with ``name``. Raises EnrolmentError as
        ``enrolment`` does.
        """
        templates = [one for one in (*self.templates(store), *beside) if one.model_sha256 == self.embedder.sha256]
        others = Gallery(one for one in templates if name_key(one.name) != name_key(name))
        enrolled = name_key(name) in {name_key(person.name) for person in store.people()}
        faces = store.faces_of(name) if enrolled else []
        known = [face.embedding for face in faces if face.model_sha256 == self.embedder.sha256]
        return self.enrolment(known, OtherPeople(others, self.scores))


def enrolment_floors(config: FacesecureConfig) -> QualityConfig:
    """Return the quality that a face needs to be enrolled."""
    return _with_confidence(ENROLMENT, config)


def _revision_of(store: Store) -> Callable[[], int]:
    """Return the store's revision as it is polled between frames, which must not wait for other processes."""
    return partial(store.people_revision, _POLL_TIMEOUT)


def _with_confidence(floors: QualityConfig, config: FacesecureConfig) -> QualityConfig:
    """Return ``floors`` with the detector's confidence as configured, else what suits the kind of detector."""
    configured = config.quality.min_confidence
    confidence = USABLE_CONFIDENCE[config.detector.kind] if configured is None else configured
    return floors.model_copy(update={"min_confidence": confidence})


def _load_classifier(config: FacesecureConfig, state_dir: Path, backend: Backend) -> FaceClassifier:
    """Load the classifier; warn if it was trained on another detector's boxes. Raises ModelError."""
    classifier = FaceClassifier(load_model(config.recognizer.model, state_dir), backend)
    loose, detector = classifier.facts.crop, config.detector.kind
    if loose is not None and loose.detector != detector:
        _log.warning(
            "%s was trained on faces found by %s, and %s draws its boxes differently: set [detector] kind, or train "
            "again",
            classifier.card.name,
            loose.detector,
            detector,
        )
    return classifier


def _load_antispoof(config: FacesecureConfig, state_dir: Path) -> Antispoof | None:
    """Load both networks that tell a face from a picture of one, if they were pulled; the processor runs them.

    A damaged one does not keep the daemon from watching: that is logged, and they are left out.
    """
    folder = state_dir / "models"
    if config.liveness.mode == "off" or not all((folder / f"{name}.json").exists() for name in MODELS):
        return None
    try:
        wide, near = (load_model(name, state_dir) for name in MODELS)
        return Antispoof(wide, near, Backend(config.inference.threads))
    except ModelError as error:
        _log.error("pictures held up are judged without the networks: %s (%s)", error.message, error.hint)
        return None


def _class_rules(classifier: FaceClassifier, verdict: VerdictConfig) -> ClassThresholds:
    rules = ClassThresholds.from_card(classifier.card)
    for warning in rules.warnings(verdict.false_accept):
        _log.warning("%s: %s", classifier.card.name, warning)
    return rules
