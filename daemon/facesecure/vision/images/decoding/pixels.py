"""Decode an image whose header was checked: upright, 8 bits, of bounded size. Runs in the decoder process.

Everything here is OpenCV's BGR: the process converts it to RGB where it writes the result.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from facesecure.vision.images.headers.header import ImageHeader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facesecure.domain import Image

_TURNS = {
    2: (1, None),
    3: (-1, None),
    4: (0, None),
    5: (0, cv2.ROTATE_90_CLOCKWISE),
    6: (None, cv2.ROTATE_90_CLOCKWISE),
    7: (0, cv2.ROTATE_90_COUNTERCLOCKWISE),
    8: (None, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
"""EXIF orientation to the flip (OpenCV's code) and the turn after it that undo it."""
_ROWS = 256
"""Rows that are laid on white at a time, so that there are no copies of the whole image."""


def decode(data: bytes, header: ImageHeader, pixels: int) -> Image | None:
    """Return the image in ``data``, uint8 BGR, upright, reduced to ``pixels``; None where it cannot be decoded.

    More pixels than its header stated count as damage. Raises MemoryError or cv2.error, where memory runs out too.
    """
    image = _heic(data, header) if header.format == "HEIC" else _by_opencv(data, header, pixels)
    if image is None or image.shape[0] * image.shape[1] > header.pixels:
        return None
    return _reduced(image, pixels)


def within(image: Image, longest: int) -> Image:
    """Return ``image``, by area averaging reduced to ``longest`` pixels a side where it is larger; 0: as it is."""
    factor = longest / max(image.shape[:2]) if longest else 1.0
    if factor >= 1:
        return image
    size = max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _by_opencv(data: bytes, header: ImageHeader, pixels: int) -> Image | None:
    encoded = np.frombuffer(data, np.uint8)
    whole = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if header.transparent else None
    if whole is not None and whole.dtype in (np.uint8, np.uint16):
        return _upright(_on_white(whole, header), header.orientation)
    whole = None
    image = cv2.imdecode(encoded, _flags(header, pixels) | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        return None
    return _upright(np.asarray(image, np.uint8), header.orientation)


def _heic(data: bytes, header: ImageHeader) -> Image | None:
    """Decode HEIC with pillow-heif, which turns it upright itself."""
    import pillow_heif

    try:
        opened = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
        if opened.size[0] * opened.size[1] > header.pixels:
            return None
        pixels = np.asarray(opened)
    except (OSError, ValueError, RuntimeError, SyntaxError, EOFError, LookupError):  # it is not consistent
        return None
    if pixels.ndim == 2:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR), np.uint8)
    if pixels.shape[2] == 3:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)
    return _on_white(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA)), header)


def _flags(header: ImageHeader, pixels: int) -> int:
    """Return how OpenCV is to read it: at the largest of its scales that is within ``pixels``, where it has scales."""
    if not header.shrinkable:
        return cv2.IMREAD_COLOR
    scales = (cv2.IMREAD_COLOR, cv2.IMREAD_REDUCED_COLOR_2, cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_COLOR_8)
    return next((scale for step, scale in enumerate(scales) if header.pixels <= pixels * 4**step), scales[-1])


def _upright(image: Image, orientation: int) -> Image:
    """Undo the EXIF ``orientation``, by one rule for all formats: OpenCV does it for some, and not with alpha."""
    flip, turn = _TURNS.get(orientation, (None, None))
    if flip is not None:
        image = np.asarray(cv2.flip(image, flip), np.uint8)
    return image if turn is None else np.asarray(cv2.rotate(image, turn), np.uint8)


def _on_white(image: NDArray[Any], header: ImageHeader) -> Image:
    """Convert BGRA (or BGR or grey, where there is no alpha after all) of 8 or more bits to BGR on white."""
    multiplied = image.itemsize * 8 in header.premultiplied
    result = np.empty((*image.shape[:2], 3), np.uint8)
    for top in range(0, image.shape[0], _ROWS):
        rows = image[top : top + _ROWS]
        if rows.dtype == np.uint16:
            rows = (rows >> header.bits - 8).astype(np.uint8)
        result[top : top + _ROWS] = _rows_on_white(rows, multiplied)
    return result


def _rows_on_white(rows: NDArray[np.uint8], multiplied: bool) -> Image:
    if rows.ndim == 2:
        return np.asarray(cv2.cvtColor(rows, cv2.COLOR_GRAY2BGR), np.uint8)
    colours = np.ascontiguousarray(rows[:, :, :3])
    if rows.shape[2] == 3:
        return colours
    white = np.full_like(colours, 255)
    opacity = cv2.merge([rows[:, :, 3]] * 3)
    coloured = colours if multiplied else cv2.multiply(colours, opacity, scale=1 / 255)
    return cv2.add(coloured, cv2.multiply(white, 255 - opacity, scale=1 / 255)).astype(np.uint8)


def _reduced(image: Image, pixels: int) -> Image:
    """Return ``image``, by area averaging reduced to ``pixels`` where it has more."""
    height, width = image.shape[:2]
    factor = (pixels / (width * height)) ** 0.5
    if factor >= 1:
        return image
    size = max(1, int(width * factor)), max(1, int(height * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
