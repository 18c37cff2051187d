"""Write text into images, in the alphabets of Europe and its neighbours.

OpenCV's putText supports ASCII only, and names need more. The letters are those of DejaVu Sans, drawn in advance by
``facesecure_training.importing.glyphs``: Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic letters. Others
(emoji, Chinese) become "?".
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from facesecure.domain import Image, Luma

Colour = tuple[int, int, int]

EM = 48
"""Pixels per em at which the letters were drawn; they are scaled from there."""
GLYPHS = Path(__file__).with_name("dejavu_sans.npz")
_LINE = 1.3
"""Height of a line in em; the baseline is one em below its top."""


def measure(text: str, size: int) -> int:
    """Return the width of ``text`` in pixels, at ``size`` pixels per em."""
    return int(coverage(text, size).shape[1])


def coverage(text: str, size: int) -> Luma:
    """Return ``text`` as a uint8 mask, 255 where ink is; 1.3 times ``size`` pixels high, on a common baseline."""
    line = _drawn(text)
    width = max(1, round(line.shape[1] * size / EM))
    how = cv2.INTER_AREA if size < EM else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(line, (width, round(_LINE * size)), interpolation=how), np.uint8)


def write(image: Image, text: str, at: tuple[int, int], size: int, colour: Colour) -> None:
    """Draw ``text`` into ``image`` (uint8 RGB), in place, with its top left at ``at`` (x, y); the image clips it."""
    x, y = max(at[0], 0), max(at[1], 0)
    ink = coverage(text, size)[: max(image.shape[0] - y, 0), : max(image.shape[1] - x, 0)]
    window = image[y : y + ink.shape[0], x : x + ink.shape[1]]
    share = ink[..., None].astype(np.float32) / 255
    window[:] = (window * (1 - share) + np.array(colour, np.float32) * share).astype(np.uint8)


def wrap(text: str, size: int, width: int) -> list[str]:
    """Break ``text`` at spaces into lines of at most ``width`` pixels; a longer word gets a line of its own."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and measure(joined, size) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


@dataclass(frozen=True, slots=True)
class _Glyph:
    """One letter: its ink, how far it stands right of the pen and above the baseline, and the width of its place."""

    ink: Luma
    left: int
    top: int
    advance: float


def _drawn(text: str) -> Luma:
    """Return ``text`` as a mask like ``coverage``, at EM pixels per em."""
    glyphs, pen = _glyphs(), 0.0
    placed: list[tuple[_Glyph, int]] = []
    for char in unicodedata.normalize("NFC", text):
        glyph = glyphs.get(char) or glyphs["?"]
        placed.append((glyph, round(pen) + glyph.left))
        pen += glyph.advance
    before = max(0, *(-x for _, x in placed)) if placed else 0
    width = max([round(pen), *(x + glyph.ink.shape[1] for glyph, x in placed)])
    line = np.zeros((round(_LINE * EM), max(1, before + width)), np.uint8)
    for glyph, x in placed:
        _put(line, glyph, before + x)
    return line


def _put(line: Luma, glyph: _Glyph, x: int) -> None:
    above = max(0, glyph.top - EM)  # two accents on a capital letter reach above the line
    ink, y = glyph.ink[above:], max(0, EM - glyph.top)
    window = line[y : y + ink.shape[0], x : x + ink.shape[1]]
    np.maximum(window, ink[: window.shape[0]], out=window)


@cache
def _glyphs() -> dict[str, _Glyph]:
    with np.load(GLYPHS) as file:
        codes, places, ink = file["codes"], file["places"], file["ink"]
    return {
        chr(code): _Glyph(ink[begin : begin + height * width].reshape(height, width), left, top, advance / 64)
        for code, (begin, height, width, left, top, advance) in zip(codes.tolist(), places.tolist(), strict=True)
    }
