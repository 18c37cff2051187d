"""The header of a PNG, and of an animated one."""

from __future__ import annotations

import struct

from facesecure.vision.images.headers.header import LARGER_PART, TOO_MANY_PARTS, TWO_HEADERS, ImageHeader
from facesecure.vision.images.headers.tiff import exif_orientation

_MOST_CHUNKS = 200_000
"""Twelve bytes are enough for a chunk; programs write pixels in chunks of 8 kB and more."""
_WITH_ALPHA = (4, 6)


def png(data: bytes) -> ImageHeader:
    """Return the header of a PNG. A chunk that is longer than the file makes it incomplete."""
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    parts = _Chunks(data)
    transparent = colour in _WITH_ALPHA or parts.transparent
    frames = max(parts.frames, default=0)
    fault = parts.fault or (LARGER_PART if frames > width * height else "")
    memory = (16 if depth == 16 else 8) if transparent else 6
    return ImageHeader(
        "PNG", width, height, parts.complete, transparent, orientation=exif_orientation(parts.exif),
        pixel_memory=memory if not parts.frames else 4 * memory, fault=fault,
    )  # fmt: skip


class _Chunks:
    """The chunks of a PNG up to its end. ``frames`` are the pixels of each frame of an animation."""

    def __init__(self, data: bytes) -> None:
        self.complete, self.transparent, self.exif, self.fault = False, False, b"", ""
        self.frames: list[int] = []
        at = 8
        for number in range(_MOST_CHUNKS):
            if at + 12 > len(data):
                return
            length, kind = struct.unpack_from(">I4s", data, at)
            if kind == b"IEND":
                self.complete = True
                return
            if at + 12 + length > len(data):
                return
            self._note(number, kind, data[at + 8 : at + 8 + min(length, 1 << 20)])
            at += 12 + length
        self.fault = TOO_MANY_PARTS

    def _note(self, number: int, kind: bytes, body: bytes) -> None:
        if kind == b"IHDR" and number:
            self.fault = TWO_HEADERS
        self.transparent |= kind == b"tRNS"
        if kind == b"eXIf" and not self.exif:
            self.exif = body
        if kind == b"fcTL":
            width, height = struct.unpack_from(">II", body, 4)
            self.frames.append(width * height)
