"""Recognise a single face: align it, check its quality, and identify it if it is good enough."""

from __future__ import annotations

from dataclasses import dataclass, replace

from facesecure.config import QualityConfig
from facesecure.domain import AlignedFace, Face, Image, Recognition, Verdict
from facesecure.domain.interfaces import ContextCropper, Detector, Recognizer
from facesecure.recognition.decision import VerdictRule
from facesecure.recognition.evidence import Evidence
from facesecure.recognition.liveness.antispoof import Antispoof
from facesecure.vision.detection.subjects import SubjectDetector
from facesecure.vision.images.quality import examine


def analyse_face(
    image: Image, face: Face, floors: QualityConfig, recognizer: Recognizer
) -> tuple[AlignedFace, Recognition | None]:
    """Align ``face`` of ``image`` (uint8 RGB), and identify it if its quality reaches ``floors``.

    The recognition is None if the face is too poor or may not be a person's; its quality then gives the reasons. The
    check for a person comes last, since it needs the embedding.
    """
    aligned = examine(image, face, floors)
    if not aligned.quality.usable:
        return aligned, None
    recognition = recognizer.identify(_with_context(aligned, image, face, recognizer))
    if not recognition.doubts:
        return aligned, recognition
    return replace(aligned, quality=replace(aligned.quality, reasons=recognition.doubts)), None


def _with_context(aligned: AlignedFace, image: Image, face: Face, recognizer: Recognizer) -> AlignedFace:
    """Return ``aligned`` with the loose crop that the recogniser needs, if it needs one; it is not kept afterwards."""
    loose = recognizer.crop_context(image, face.box) if isinstance(recognizer, ContextCropper) else None
    return aligned if loose is None else replace(aligned, loose=loose)


@dataclass(frozen=True, slots=True)
class FaceReport:
    """The result for one face: where it is, its quality, and whose it is."""

    face: Face
    aligned: AlignedFace
    verdict: Verdict
    recognition: Recognition | None


@dataclass(frozen=True, slots=True)
class Identifier:
    """The parts that identify faces; ``identify`` uses them on a single image, a pipeline on tracks.

    ``floors`` are the quality that a face needs, ``subjects`` finds people who show none, if they are looked for. For
    single images ``rule`` should need one face only. Example::

        for report in Identifier(detector, recognizer, rule, floors).identify(image):
            print(report.verdict.name, report.verdict.why)
    """

    detector: Detector
    recognizer: Recognizer
    rule: VerdictRule
    floors: QualityConfig
    subjects: SubjectDetector | None = None
    antispoof: Antispoof | None = None
    """Tells a face from a picture of one, if its networks were pulled."""

    def identify(self, image: Image) -> list[FaceReport]:
        """Return a report on each face in ``image`` (uint8 RGB), largest first."""
        return [self.report(image, face) for face in self.detector.detect(image)]

    def report(self, image: Image, face: Face) -> FaceReport:
        """Return a report on ``face`` of ``image`` (uint8 RGB); the detector is not used."""
        aligned, recognition = analyse_face(image, face, self.floors, self.recognizer)
        if recognition is None:
            return FaceReport(face, aligned, self.rule.decide(Evidence().refuse(aligned.quality)), None)
        evidence = Evidence().add(recognition, aligned.quality, at=0.0)
        return FaceReport(face, aligned, self.rule.decide(evidence), recognition)
