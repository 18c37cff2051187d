"""One look at one face: cut out, judged, and identified if it is worth it."""

from __future__ import annotations

from dataclasses import replace

from facesecure.config import QualityConfig
from facesecure.domain import AlignedFace, Face, Image, Recognition
from facesecure.stages import Cutter, Recognizer
from facesecure.vision.quality import examine


def look(
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
    loose = recognizer.cut(image, face.box) if isinstance(recognizer, Cutter) else None
    return aligned if loose is None else replace(aligned, loose=loose)
