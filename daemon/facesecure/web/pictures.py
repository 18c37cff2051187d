"""Decode pictures that people upload: in a process of its own, which holds nothing, so that none of them reaches more.

The daemon gets pixels only. What cannot be decoded is refused for one of the problems of ``decoding.messages``.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import IO

from facesecure.vision.images.decoding.messages import DecodingError, Limits
from facesecure.vision.images.decoding.process import reads_heic
from facesecure.vision.images.photos import MIN_SIDE, pixels_of

LONGEST_SIDE = 1600
"""Pixels: of a face in a larger picture no detector sees more."""
_DECODED_AT = 7_680_000
"""Pixels at which a JPEG is decoded before it is scaled: three times those that are kept."""
_LARGEST_WHOLE = 36_000_000
"""Pixels of a picture that can only be decoded whole."""
_MEMORY = 400_000_000
_SECONDS = 30
FORMATS = ("JPEG", "PNG", "WebP", "HEIC")
_at_once = asyncio.Semaphore(1)


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels, RGB, 8 bits each, rows from the top."""

    width: int
    height: int
    pixels: bytes


async def decode(file: IO[bytes]) -> Picture:
    """Return the picture in an open regular ``file``, upright, at most LONGEST_SIDE a side. Raises DecodingError.

    One is decoded at a time, so that ten browsers take no more memory than one.
    """
    limits = Limits(_DECODED_AT, _LARGEST_WHOLE, MIN_SIDE, _MEMORY, _SECONDS, LONGEST_SIDE, FORMATS)
    async with _at_once:
        return await asyncio.to_thread(_decoded, file.fileno(), limits)


def accepted_types() -> str:
    """Return what a file field accepts. Without HEIC an iPhone sends JPEG by itself."""
    types = ["image/jpeg", "image/png", "image/webp", *(("image/heic", "image/heif") if reads_heic() else ())]
    return ",".join(types)


def _decoded(file: int, limits: Limits) -> Picture:
    found = pixels_of(file, limits)
    try:
        return Picture(found.width, found.height, found.data[:])
    finally:
        found.data.close()


__all__ = ["FORMATS", "LONGEST_SIDE", "DecodingError", "Picture", "accepted_types", "decode"]
