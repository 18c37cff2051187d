"""One look at one face: cut out, judged, and identified if it is worth it."""

from __future__ import annotations

from dataclasses import replace

from facesecure.config import QualityConfig
from facesecure.domain import AlignedFace, Face, Image, Recognition
from facesecure.stages import Recognizer
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
    recognition = recognizer.identify(aligned)
    if not recognition.doubts:
        return aligned, recognition
    return replace(aligned, quality=replace(aligned.quality, reasons=recognition.doubts)), None
