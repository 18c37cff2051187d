"""The models at work, loaded and checked by the configuration: to find faces, tell whose they are, and enrol them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2

from facesecure.config import FacesecureConfig, QualityConfig, VerdictConfig
from facesecure.detect import USABLE_CONFIDENCE, build_detector
from facesecure.domain import Embedding
from facesecure.enrolment import Enrolment
from facesecure.identification import Identifier
from facesecure.recognize.embedder import ModelEmbedder
from facesecure.recognize.embedding import EmbeddingRecognizer
from facesecure.recognize.gallery import Gallery, LiveGallery
from facesecure.recognize.judge import Judge
from facesecure.recognize.kinship import Others
from facesecure.recognize.score_model import ScoreModel
from facesecure.recognize.standards import LiveStandards
from facesecure.recognize.stranger_model import Strangers, strangers_of
from facesecure.renewal import renew
from facesecure.stages import Detector
from facesecure.store.names import name_key
from facesecure.store.records import Template
from facesecure.store.store import Store
from facesecure.vision.model_card import load_model
from facesecure.vision.personhood import Doubts, doubts_for
from facesecure.vision.quality import ENROLMENT


@dataclass(frozen=True, slots=True)
class Vision:
    """The models, loaded and checked: what ``run``, ``enroll`` and ``identify`` all need."""

    detector: Detector
    embedder: ModelEmbedder
    scores: ScoreModel
    strangers: Strangers
    watching: QualityConfig
    """What a face must be worth to be recognised."""
    enrolling: QualityConfig
    """What it must be worth to be enrolled."""
    doubts: Doubts
    """Whether it is a person's at all."""

    @classmethod
    def load(cls, config: FacesecureConfig, state_dir: Path) -> Vision:
        """Load what ``config`` names. Raises ModelError."""
        model = load_model(config.recognizer.model, state_dir)
        detector = build_detector(config.detector, models_dir=state_dir / "models")
        cv2.setNumThreads(1)  # a Pi's other cores are better used by capture and decoding
        sure = config.quality.min_confidence
        sure = USABLE_CONFIDENCE[config.detector.kind] if sure is None else sure
        watching, enrolling = (
            floors.model_copy(update={"min_confidence": sure}) for floors in (config.quality, ENROLMENT)
        )
        scores, strangers = ScoreModel.from_card(model.card), strangers_of(model)
        doubts = doubts_for(model.card)
        return cls(detector, ModelEmbedder(model), scores, strangers, watching, enrolling, doubts)

    def recognizer(self, store: Store) -> EmbeddingRecognizer:
        """A recogniser that knows everybody in ``store``, and within a second whoever is added."""
        load = partial(self.templates, store)
        gallery = LiveGallery(load, store.people_revision, self.embedder.sha256, decoys=store.decoys)
        return EmbeddingRecognizer(self.embedder, gallery, self.doubts)

    def templates(self, store: Store) -> list[Template]:
        """Everybody's templates, after those that another model made were made again."""
        renew(store, self.embedder)
        return store.templates()

    def standards(self, config: FacesecureConfig, store: Store, state_dir: Path) -> LiveStandards:
        """What to demand of whom: as calibrated, or else the safe default."""
        return LiveStandards(
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
        judge = Judge(single, self.standards(config, store, state_dir))
        return Identifier(self.detector, self.recognizer(store), judge, self.watching)

    def enrolment(self, known: Sequence[Embedding] = (), others: Others | None = None) -> Enrolment:
        """To collect pictures of one person, whose faces enrolled so far are ``known``, beside ``others``."""
        return Enrolment(self.detector, self.embedder, self.embedder.sha256, known, self.enrolling, self.doubts, others)

    def enrolment_of(self, store: Store, name: str) -> Enrolment:
        """To collect pictures of ``name``, new to ``store`` or not, beside everybody else who is enrolled there."""
        templates = [one for one in self.templates(store) if one.model_sha256 == self.embedder.sha256]
        others = Gallery(one for one in templates if name_key(one.name) != name_key(name))
        enrolled = name_key(name) in {name_key(person.name) for person in store.people()}
        faces = store.faces_of(name) if enrolled else []
        known = [face.embedding for face in faces if face.model_sha256 == self.embedder.sha256]
        return self.enrolment(known, Others(others, self.scores))
