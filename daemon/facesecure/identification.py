"""Looks at one picture, once, and explains every face in it: what ``facesecure identify`` prints."""

from __future__ import annotations

from dataclasses import dataclass

from facesecure.config import QualityConfig
from facesecure.domain import AlignedFace, Face, Image, Recognition, Verdict
from facesecure.recognize.evidence import Evidence
from facesecure.recognize.judge import Judge
from facesecure.stages import Detector, Recognizer
from facesecure.vision.quality import examine


@dataclass(frozen=True, slots=True)
class FaceReport:
    """One face: where, how good, and who."""

    face: Face
    aligned: AlignedFace
    verdict: Verdict
    recognition: Recognition | None


@dataclass(frozen=True, slots=True)
class Identifier:
    """Judges single pictures. ``judge`` should ask for one face only: a picture has no second look."""

    detector: Detector
    recognizer: Recognizer
    judge: Judge
    quality: QualityConfig

    def look(self, image: Image) -> list[FaceReport]:
        """A report on each face in ``image`` (uint8 RGB), largest first."""
        return [self._report(image, face) for face in self.detector.detect(image)]

    def _report(self, image: Image, face: Face) -> FaceReport:
        aligned = examine(image, face, self.quality)
        if not aligned.quality.usable:
            return FaceReport(face, aligned, self.judge.judge(Evidence().refuse(aligned.quality)), None)
        recognition = self.recognizer.identify(aligned)
        evidence = Evidence().add(recognition, aligned.quality, at=0.0)
        return FaceReport(face, aligned, self.judge.judge(evidence), recognition)
