"""Looks at one picture, once, and explains every face in it: what ``facesecure identify`` prints."""

from __future__ import annotations

from dataclasses import dataclass

from facesecure.config import QualityConfig
from facesecure.domain import AlignedFace, Face, Image, Recognition, Verdict
from facesecure.recognize.evidence import Evidence
from facesecure.recognize.judge import Judge
from facesecure.recognize.look import look
from facesecure.stages import Detector, Recognizer


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
        aligned, recognition = look(image, face, self.quality, self.recognizer)
        if recognition is None:
            return FaceReport(face, aligned, self.judge.judge(Evidence().refuse(aligned.quality)), None)
        evidence = Evidence().add(recognition, aligned.quality, at=0.0)
        return FaceReport(face, aligned, self.judge.judge(evidence), recognition)
