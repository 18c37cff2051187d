"""The header of a JPEG (ITU-T T.81), read as libjpeg reads it."""

from __future__ import annotations

import re
import struct

from facesecure.vision.images.headers.header import TOO_MANY_SCANS, TWO_HEADERS, ImageHeader
from facesecure.vision.images.headers.tiff import exif_orientation

_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length (table B.1)."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_KEPT_WHOLE = frozenset({0xC2, 0xC3, 0xC6, 0xC7, 0xCA, 0xCB, 0xCE, 0xCF})
"""Frames that no decoder can shrink while it decodes: progressive ones, and lossless ones."""
_END, _SCAN = 0xD9, 0xDA
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
"""A marker among entropy-coded bytes: neither a stuffed 0xFF nor a restart."""
_MOST_SCANS = 100
"""libjpeg writes ten, optimisers some sixty; each costs as much time as the whole picture."""


def jpeg(data: bytes) -> ImageHeader | None:
    """Return the header of a JPEG. None if it has no frame header before its pixels."""
    at, frames, orientation = 2, list[tuple[int, int, int, int]](), 1
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker in (0, 0xFF) or marker in _STANDALONE:  # stray bytes and padding: libjpeg skips them too
            at += 1 if marker == 0xFF else 2
            continue
        if marker in (_END, _SCAN):
            break
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker in _FRAMES:
            frames.append((marker, *struct.unpack_from(">HHB", data, at + 5)))
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            orientation = exif_orientation(data[at + 10 : at + 2 + length])
        at += 2 + length
    return _header(data, at, frames, orientation) if frames else None


def _header(data: bytes, at: int, frames: list[tuple[int, int, int, int]], orientation: int) -> ImageHeader | None:
    """Return the header of the JPEG whose first scan, or end, is ``at``; negative where neither is there."""
    marker, height, width, components = frames[0]
    if at < 0 or at + 4 >= len(data):
        return ImageHeader("JPEG", width, height, complete=False, orientation=orientation)
    if data[at + 1] == _END:  # without any pixels
        return None
    whole = marker in _KEPT_WHOLE or data[at + 4] < components
    scans, complete = _scans(data, at) if whole else (1, data.find(b"\xff\xd9", at) >= 0)
    fault = TWO_HEADERS if len(frames) > 1 else TOO_MANY_SCANS if scans > _MOST_SCANS else ""
    return ImageHeader(
        "JPEG", width, height, complete, shrinkable=not whole, orientation=orientation,
        pixel_memory=max(6, 2 * components + 3) if whole else 6, fault=fault,  # coefficients of two bytes
    )  # fmt: skip


def _scans(data: bytes, at: int) -> tuple[int, bool]:
    """Return how many scans there are from ``at`` on, and whether an end follows. Stops soon after too many."""
    scans = 0
    while at + 4 <= len(data):
        marker = data[at + 1]
        if marker == _END:
            return scans, True
        scans += marker == _SCAN
        if scans > _MOST_SCANS:
            return scans, True
        if marker in _STANDALONE:
            at += 2
        else:
            at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
        found = _MARKER.search(data, at)
        at = found.start() if found else len(data)
    return scans, data[at : at + 2] == b"\xff\xd9"
