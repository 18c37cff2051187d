"""Draw what the daemon recognised into an image: boxes, landmarks, track numbers, names and scores."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from facesecure.app.demo import text as lettering
from facesecure.app.demo.text import Colour
from facesecure.domain import Box, Face, Image, Verdict, VerdictKind
from facesecure.pipeline.tracker import Track

COLOURS: dict[VerdictKind, Colour] = {
    VerdictKind.KNOWN: (46, 160, 67),
    VerdictKind.STRANGER: (218, 54, 51),
    VerdictKind.UNIDENTIFIED: (202, 138, 4),
}
_PAPER: Colour = (255, 255, 255)


def annotate(image: Image, tracks: Iterable[Track], caption: str = "") -> Image:
    """Return a copy of ``image`` (uint8 RGB) with every live track marked, and ``caption`` in the lower left corner."""
    drawing = image.copy()
    for track in tracks:
        if track.live:
            mark(drawing, track.face, COLOURS[track.verdict.kind], label(track.number, track.verdict))
    if caption:
        size = _text_size(drawing)
        _tag(drawing, caption, (0, drawing.shape[0] - round(1.3 * size) - 8), size, (30, 30, 30))
    return drawing


def label(number: int | None, verdict: Verdict) -> str:
    """Return a track's number, name or verdict, and score: "#3 Grace Hopper 0.71"."""
    parts = [f"#{number}"] if number is not None else []
    parts.append(verdict.name or str(verdict.kind))
    if verdict.score is not None:
        parts.append(f"{verdict.score:.2f}")
    return " ".join(parts)


def mark(image: Image, face: Face, colour: Colour, text: str) -> None:
    """Draw one face's box and landmarks with ``text`` above (or below, at the upper edge), in place."""
    size = _text_size(image)
    outline(image, face.box, colour)
    radius = max(2, round(face.eye_distance / 20))
    for x, y in face.landmarks:
        cv2.circle(image, (round(float(x)), round(float(y))), radius, _PAPER, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(image, (round(float(x)), round(float(y))), radius, colour, 1, cv2.LINE_AA)
    above = round(face.box.top) - round(1.3 * size) - 8
    _tag(image, text, (round(face.box.left), above if above >= 0 else round(face.box.bottom)), size, colour)


def outline(image: Image, box: Box, colour: Colour) -> None:
    """Draw ``box`` into ``image``, in place."""
    corners = (round(box.left), round(box.top)), (round(box.right), round(box.bottom))
    cv2.rectangle(image, *corners, colour, max(2, image.shape[1] // 480), cv2.LINE_AA)


def _tag(image: Image, text: str, at: tuple[int, int], size: int, colour: Colour) -> None:
    """Draw white text on a coloured background, moved as far as needed to fit inside the image."""
    width, height = lettering.measure(text, size) + 12, round(1.3 * size) + 8
    left = int(np.clip(at[0], 0, max(image.shape[1] - width, 0)))
    top = int(np.clip(at[1], 0, max(image.shape[0] - height, 0)))
    image[top : top + height, left : left + width] = colour
    lettering.write(image, text, (left + 6, top + 4), size, _PAPER)


def _text_size(image: Image) -> int:
    return max(12, int(image.shape[0]) // 36)
