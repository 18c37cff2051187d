"""Write text into images, in any alphabet that DejaVu Sans has.

OpenCV's putText supports ASCII only, and names need more. matplotlib provides DejaVu Sans (Latin, Greek, Cyrillic,
Hebrew, Arabic letters and more) and FreeType to draw it. Characters that the font lacks (emoji, Chinese) become "?".
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facesecure.domain import Image, Luma

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

Colour = tuple[int, int, int]


def measure(text: str, size: int) -> int:
    """Return the width of ``text`` in pixels, at ``size`` pixels per em."""
    return int(coverage(text, size).shape[1])


def coverage(text: str, size: int) -> Luma:
    """Return ``text`` as a uint8 mask, 255 where ink is; 1.3 times ``size`` pixels high, on a common baseline."""
    font = _font()
    font.set_size(size, 72)
    font.set_text(_drawable(text), 0.0)
    font.draw_glyphs_to_bitmap(antialiased=True)
    ink = np.asarray(font.get_image(), np.uint8)
    below = round(font.get_descent() / 64)
    line = np.zeros((round(1.3 * size), max(ink.shape[1], 1)), np.uint8)
    top = max(0, size - (ink.shape[0] - below))
    rows = min(ink.shape[0], line.shape[0] - top)
    line[top : top + rows, : ink.shape[1]] = ink[:rows]
    return line


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


def _drawable(text: str) -> str:
    font = _font()
    return "".join(char if char == " " or font.get_char_index(ord(char)) else "?" for char in text)


@cache
def _font() -> FT2Font:
    import matplotlib
    from matplotlib.ft2font import FT2Font

    return FT2Font(str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")))
