"""One look at one face: cut out, judged, and identified if it is worth it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from facesecure.config import QualityConfig
from facesecure.domain import AlignedFace, Face, Image, Recognition, Verdict
from facesecure.domain.interfaces import ContextCropper, Detector, Recognizer
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.evidence import Evidence
from facesecure.vision.images.quality import examine


def analyse_face(
    image: Image, face: Face, floors: QualityConfig, recognizer: Recognizer
) -> tuple[AlignedFace, Recognition | None]:
    """``face`` in ``image`` (uint8 RGB) and who it is; None, and the reasons in its quality, if it cannot tell.

    Whether it is a person's at all is seen last, by the embedding.
    """
    aligned = examine(image, face, floors)
    if not aligned.quality.usable:
        return aligned, None
    recognition = recognizer.identify(_with_surroundings(aligned, image, face, recognizer))
    if not recognition.doubts:
        return aligned, recognition
    return replace(aligned, quality=replace(aligned.quality, reasons=recognition.doubts)), None


def _with_surroundings(aligned: AlignedFace, image: Image, face: Face, recognizer: Recognizer) -> AlignedFace:
    """``aligned`` as the recogniser wants it; the loose crop does not outlive the look."""
    loose = recognizer.crop_context(image, face.box) if isinstance(recognizer, ContextCropper) else None
    return aligned if loose is None else replace(aligned, loose=loose)


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
    rule: VerdictRule
    floors: QualityConfig

    def identify(self, image: Image) -> list[FaceReport]:
        """A report on each face in ``image`` (uint8 RGB), largest first."""
        return [self._report(image, face) for face in self.detector.detect(image)]

    def _report(self, image: Image, face: Face) -> FaceReport:
        aligned, recognition = analyse_face(image, face, self.floors, self.recognizer)
        if recognition is None:
            return FaceReport(face, aligned, self.rule.decide(Evidence().refuse(aligned.quality)), None)
        evidence = Evidence().add(recognition, aligned.quality, at=0.0)
        return FaceReport(face, aligned, self.rule.decide(evidence), recognition)
