"""Draw a contact sheet: a card for every sighting, with its snapshot, verdict, times and reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from facesecure.app.demo import text as lettering
from facesecure.app.demo.annotate import COLOURS, outline
from facesecure.domain import Box, Image, Sighting
from facesecure.domain.errors import FacesecureError

_CARD_WIDTH, _CARD_HEIGHT, _GAP = 760, 230, 16
_SNAPSHOT = 206
_INK, _GREY, _PAPER, _CARD = (32, 33, 36), (110, 114, 120), (241, 243, 244), (255, 255, 255)


def contact_sheet(sightings: Sequence[Sighting], title: str = "Sightings") -> Image:
    """Return the sheet as uint8 RGB: a card for each sighting in the order given, in two columns if over three."""
    columns = 2 if len(sightings) > 3 else 1
    rows = max(1, -(-len(sightings) // columns))
    width = columns * _CARD_WIDTH + (columns + 1) * _GAP
    sheet = np.full((72 + rows * (_CARD_HEIGHT + _GAP), width, 3), _PAPER, np.uint8)
    lettering.write(sheet, title, (_GAP, 20), 26, _INK)
    for index, sighting in enumerate(sightings):
        row, column = divmod(index, columns)
        left, top = _GAP + column * (_CARD_WIDTH + _GAP), 72 + row * (_CARD_HEIGHT + _GAP)
        _card(sheet[top : top + _CARD_HEIGHT, left : left + _CARD_WIDTH], sighting)
    if not sightings:
        lettering.write(sheet, "Nobody came.", (_GAP, 80), 18, _GREY)
    return sheet


def save_png(image: Image, path: Path) -> None:
    """Write ``image`` (uint8 RGB) as PNG. Raises FacesecureError if it cannot be written."""
    _, packed = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    try:
        path.write_bytes(packed.tobytes())
    except OSError as error:
        raise FacesecureError(
            f"cannot write {path}: {error.strerror}", "Choose a folder that can be written."
        ) from error


def _card(card: Image, sighting: Sighting) -> None:
    """Fill ``card``, a view into the sheet."""
    verdict = sighting.verdict
    colour = COLOURS[verdict.kind]
    card[:] = _CARD
    card[:, :6] = colour
    card[12 : 12 + _SNAPSHOT, 18 : 18 + _SNAPSHOT] = _thumbnail(sighting)
    left, room = 18 + _SNAPSHOT + 18, _CARD_WIDTH - _SNAPSHOT - 54
    lettering.write(card, verdict.name or str(verdict.kind), (left, 14), 24, colour)
    lettering.write(card, _times(sighting), (left, 54), 14, _GREY)
    lettering.write(card, _figures(sighting), (left, 78), 14, _GREY)
    for line, text in enumerate(lettering.wrap(verdict.why, 15, room)[:5]):
        lettering.write(card, text, (left, 110 + 22 * line), 15, _INK)


def _thumbnail(sighting: Sighting) -> Image:
    """Return the snapshot, its face outlined, in a square of _SNAPSHOT pixels."""
    square = np.full((_SNAPSHOT, _SNAPSHOT, 3), _PAPER, np.uint8)
    if sighting.snapshot is None:
        lettering.write(square, "no picture", (60, 92), 15, _GREY)
        return square
    height, width = sighting.snapshot.shape[:2]
    scale = _SNAPSHOT / max(height, width)
    fitted = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(sighting.snapshot, fitted, interpolation=cv2.INTER_AREA), np.uint8)
    if sighting.box is not None:
        outline(small, _scaled(sighting.box, scale), COLOURS[sighting.verdict.kind])
    left, top = (_SNAPSHOT - fitted[0]) // 2, (_SNAPSHOT - fitted[1]) // 2
    square[top : top + fitted[1], left : left + fitted[0]] = small
    return square


def _scaled(box: Box, scale: float) -> Box:
    return Box(box.left * scale, box.top * scale, box.right * scale, box.bottom * scale)


def _times(sighting: Sighting) -> str:
    first, last = sighting.first_seen.astimezone(), sighting.last_seen.astimezone()
    stayed = (last - first).total_seconds()
    return f"{first:%Y-%m-%d %H:%M:%S} to {last:%H:%M:%S}  ({stayed:.1f} s, {sighting.source})"


def _figures(sighting: Sighting) -> str:
    verdict = sighting.verdict
    parts = [f"track {sighting.track}"] if sighting.track is not None else []
    if verdict.score is not None:
        parts.append(f"score {verdict.score:.2f}")
    if verdict.second_name is not None and verdict.second_score is not None:
        parts.append(f"second {verdict.second_name} {verdict.second_score:.2f}")
    return ", ".join([*parts, f"{verdict.faces_used} faces used"])
