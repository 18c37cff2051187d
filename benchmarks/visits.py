"""Run images of animals and empty scenes through the pipeline as visits: each stays before the camera for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from facesecure.config import QualityConfig, VerdictConfig
from facesecure.domain import Embedding, Face, Image, VerdictKind
from facesecure.domain.interfaces import Detector, Embedder
from facesecure.domain.records import Template
from facesecure.pipeline.tracker import Tracker
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.embedder import EmbeddingRecognizer
from facesecure.recognition.gallery import LiveGallery
from facesecure.recognition.human_filter import Doubts
from facesecure.recognition.identify import analyse_face
from facesecure.recognition.score_model import ScoreModel
from facesecure.vision.detection.factory import USABLE_CONFIDENCE
from facesecure.vision.images.photos import read_photo

_FRAMES = 8
_STEP = 0.3


@dataclass
class Counted:
    """The number of ``pictures``, and the names of those with a verdict of stranger or known."""

    pictures: int = 0
    strangers: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Door:
    """The daemon's stages for a household, without a store."""

    detector: Detector
    kind: str
    embedder: Embedder
    model_sha256: str
    scores: ScoreModel

    def count(
        self, pictures: Iterable[Path], household: Sequence[tuple[str, Embedding]], doubts: Callable[[Path], Doubts]
    ) -> Counted:
        """Count the verdicts on ``pictures``; ``doubts`` returns the human-face filter for each."""
        counted = Counted()
        for path in pictures:
            counted.pictures += 1
            kinds = self._visit(read_photo(path), household, doubts(path))
            if VerdictKind.STRANGER in kinds:
                counted.strangers.append(path.name)
            if VerdictKind.KNOWN in kinds:
                counted.named.append(path.name)
        return counted

    def _visit(self, image: Image, household: Sequence[tuple[str, Embedding]], doubts: Doubts) -> set[VerdictKind]:
        """Return all verdicts on the faces of ``image``."""
        faces = self.detector.detect(image)
        now = datetime.now(UTC)
        templates = [Template(name, embedding, self.model_sha256, 5, now) for name, embedding in household]
        gallery = LiveGallery(lambda: templates, lambda: 0, self.model_sha256)
        recognizer = EmbeddingRecognizer(self.embedder, gallery, doubts)
        return _watch(image, faces, recognizer, Tracker(VerdictRule(VerdictConfig(), self.scores)), self._floors())

    def _floors(self) -> QualityConfig:
        return QualityConfig(min_confidence=USABLE_CONFIDENCE[self.kind])


def _watch(
    image: Image, faces: Sequence[Face], recognizer: EmbeddingRecognizer, tracker: Tracker, floors: QualityConfig
) -> set[VerdictKind]:
    kinds = set()
    for frame in range(_FRAMES):
        for track in tracker.update(faces, frame * _STEP):
            if track.wants_identity:
                face, recognition = analyse_face(image, track.face, floors, recognizer)
                kinds.add(tracker.observe(track, face, recognition).verdict.kind)
    return kinds
