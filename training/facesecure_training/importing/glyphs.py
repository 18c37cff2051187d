"""Draw the letters that the daemon writes into images, from DejaVu Sans as matplotlib carries it.

OpenCV's putText knows ASCII only, and a library that draws fonts would be a dependency for the demo alone.

    python -m facesecure_training.importing.glyphs
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from facesecure.app.demo.text import EM, GLYPHS

RANGES = (
    (0x20, 0x7E), (0xA0, 0x24F),  # Latin
    (0x2B9, 0x2BC), (0x2C6, 0x2DD), (0x300, 0x36F),  # apostrophes and accents
    (0x370, 0x3FF), (0x400, 0x52F),  # Greek, Cyrillic
    (0x531, 0x58A), (0x5BE, 0x5F4), (0x60C, 0x66D), (0x10D0, 0x10FC),  # Armenian, Hebrew, Arabic, Georgian
    (0x1E00, 0x1EFF), (0x1F00, 0x1FFE),  # Vietnamese, Greek with accents
    (0x2010, 0x2027), (0x2030, 0x203A), (0x20A0, 0x20BF), (0x2116, 0x2116), (0x2122, 0x2122), (0x2190, 0x2193),
    (0x2212, 0x2212),
)  # fmt: skip
"""The characters that are drawn: first and last of each range."""


def draw(path: Path = GLYPHS) -> int:
    """Write the letters to ``path``, and return how many there are."""
    ink, rows, codes = [], [], []
    font, begin = _font(), 0
    for code in _characters(font):
        bitmap, (left, top, advance) = _glyph(font, code)
        codes.append(code)
        rows.append((begin, *bitmap.shape, left, top, advance))
        ink.append(bitmap.ravel())
        begin += bitmap.size
    np.savez_compressed(
        path, codes=np.array(codes, np.uint32), places=np.array(rows, np.int32), ink=np.concatenate(ink)
    )
    return len(codes)


def _characters(font: Any) -> Iterator[int]:
    for first, last in RANGES:
        yield from (code for code in range(first, last + 1) if font.get_char_index(code))


def _glyph(font: Any, code: int) -> tuple[np.ndarray[Any, Any], tuple[int, int, int]]:
    """Return a letter as uint8 (height, width), and its left and top in pixels and advance in 1/64 pixels."""
    from matplotlib.ft2font import LoadFlags

    font.clear()
    glyph = font.load_char(code, flags=LoadFlags.NO_HINTING)
    left, _, _, top = (value / 64 for value in glyph.bbox)
    font.set_text(chr(code), 0.0, flags=LoadFlags.NO_HINTING)
    font.draw_glyphs_to_bitmap(antialiased=True)
    bitmap = np.array(font.get_image(), np.uint8)
    if not bitmap.any():
        bitmap = np.zeros((0, 0), np.uint8)
    return bitmap, (int(np.floor(left)), int(np.ceil(top)), round(glyph.linearHoriAdvance / 1024))


def _font() -> Any:
    import matplotlib
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")))
    font.set_size(EM, 72)
    return font


if __name__ == "__main__":
    draw()
