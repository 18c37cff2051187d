"""Encode and decode images. RGB outside; OpenCV's BGR only in this module.

What is decoded here was encoded here: a PNG of another make is refused before a decoder sees it. Images that other
programs wrote are for ``photos``.
"""

from __future__ import annotations

import struct

import cv2
import numpy as np

from facesecure.domain import Image

JPEG_QUALITY = 88
PREVIEW_QUALITY = 80
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB = b"\x08\x02\0\0\0"
"""The end of a PNG's header: 8 bits, RGB, the only methods, not interlaced."""
_LARGEST_SIDE = 2048
_MOST_CHUNKS = 4096


def png_bytes(image: Image) -> bytes:
    """Encode ``image``, uint8 RGB, as PNG, without loss. Raises ValueError if that fails."""
    return _encoded(".png", image, [])


def jpeg_bytes(image: Image) -> bytes:
    """Encode ``image``, uint8 RGB, as JPEG for viewing. Raises ValueError if that fails."""
    return _encoded(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


def preview_jpeg(image: Image, width: int) -> bytes:
    """Encode ``image``, uint8 RGB, as JPEG at most ``width`` pixels wide. Raises ValueError if that fails."""
    height, across = image.shape[:2]
    if across > width:
        size = width, max(1, round(height * width / across))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return _encoded(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, PREVIEW_QUALITY])


def png_image(data: bytes) -> Image:
    """Decode the uint8 RGB image that ``png_bytes`` encoded. Raises ValueError if ``data`` is damaged, or another's."""
    if stored_size(data) is None:
        raise ValueError("a stored crop is not a PNG as facesecure writes it")
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        raise ValueError("a stored crop cannot be decoded")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def stored_size(data: bytes) -> tuple[int, int] | None:
    """Return the (width, height) of a PNG as ``png_bytes`` writes them, and None for any other data.

    One header, then pixels, then the end: nothing else, nothing longer than the data, and no side over 2048 pixels.
    """
    kinds, at = list[bytes](), len(_SIGNATURE)
    while at + 12 <= len(data) and len(kinds) < _MOST_CHUNKS:
        length, kind = struct.unpack_from(">I4s", data, at)
        kinds.append(kind)
        at += 12 + length
    whole = data.startswith(_SIGNATURE) and at == len(data) and data[24:29] == _RGB
    if not whole or kinds[:1] + kinds[-1:] != [b"IHDR", b"IEND"] or set(kinds[1:-1]) != {b"IDAT"}:
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return (width, height) if 0 < max(width, height) <= _LARGEST_SIDE else None


def _encoded(extension: str, image: Image, options: list[int]) -> bytes:
    done, buffer = cv2.imencode(extension, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be encoded as {extension}")
    return buffer.tobytes()
