"""The headers of formats made of boxes (ISO/IEC 14496-12): AVIF, HEIC and JPEG 2000."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from facesecure.vision.images.headers.header import TOO_MANY_PARTS, ImageHeader

_TURNED: dict[tuple[int, int | None], int] = {
    (0, None): 1, (0, 0): 4, (0, 1): 2,
    (1, None): 8, (1, 0): 5, (1, 1): 7,
    (2, None): 3, (2, 0): 2, (2, 1): 4,
    (3, None): 6, (3, 0): 7, (3, 1): 5,
}  # fmt: skip
"""EXIF orientation for the anticlockwise quarter turns of an ``irot`` box, and the ``imir`` box that mirrors after it:
0 exchanges top and bottom, 1 left and right (ISO/IEC 23008-12, 6.5.10 and 6.5.12)."""
_MOST_BOXES = 1000
_MOST_COMPONENTS = 4
_PIXEL_MEMORY = {"AVIF": 24, "HEIC": 13}


def brand(data: bytes) -> str | None:
    """Return the format of an ISO media file by its brands; None for other files."""
    if data[4:8] != b"ftyp":
        return None
    size = min(int.from_bytes(data[:4], "big"), 256)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, size, 4))]
    if any(one in (b"avif", b"avis") for one in brands):
        return "AVIF"
    return "HEIC" if brands[0][:2] in (b"he", b"mi", b"ms") else "a video"


def heif(data: bytes) -> ImageHeader | None:
    """Return the header of an AVIF or HEIC file: the largest size in it, and the turn, which replaces EXIF's there."""
    format_name = brand(data) or "HEIC"
    meta = b"".join(body for kind, body in _boxes(data) if kind == b"meta")
    film = b"".join(body for kind, body in _boxes(data) if kind == b"moov")
    sizes = [*_sizes(meta, b"ispe", 8, ">II"), *_sizes(film, b"av01", 28, ">HH"), *_sizes(film, b"hvc1", 28, ">HH")]
    if not sizes:
        return None
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return ImageHeader(
        format_name, width, height, transparent=b":auxiliary:alpha" in meta, orientation=_turned(meta),
        bits=_av1_bits(meta), pixel_memory=_PIXEL_MEMORY.get(format_name, 24),
    )  # fmt: skip


def jpeg2000(data: bytes) -> ImageHeader | None:
    """Return the header of a JPEG 2000 file: the size that its codestream states, which is the one decoded."""
    stream = next((body for kind, body in _boxes(data) if kind == b"jp2c"), b"")
    if stream[:4] != b"\xff\x4f\xff\x51":
        return None
    right, bottom, left, top = struct.unpack_from(">4I", stream, 8)
    (components,) = struct.unpack_from(">H", stream, 40)
    return ImageHeader(
        "JPEG 2000", right - left, bottom - top, transparent=components == _MOST_COMPONENTS,
        pixel_memory=4 * components + 4, fault=TOO_MANY_PARTS if components > _MOST_COMPONENTS else "",
    )  # fmt: skip


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the (kind, body) of each box of a file; a body that leads out of the file ends with it."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > len(data):
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", data, at + 8), 16
        end = at + size if size else len(data)  # 0: up to the end of the file
        if end < at + head:
            return
        if kind != b"mdat":
            yield kind, data[at + head : end]
        at = end


def _sizes(part: bytes, kind: bytes, offset: int, letters: str) -> list[tuple[int, int]]:
    """Return the (width, height) that stands ``offset`` bytes after each box name ``kind`` in ``part``."""
    found, at = list[tuple[int, int]](), -1
    while (at := part.find(kind, at + 1)) >= 0:
        width, height = struct.unpack_from(letters, part, at + offset)
        found.append((width, height))
    return found


def _turned(meta: bytes) -> int:
    """Return the EXIF orientation that stands for the turn and the mirror of an AVIF or HEIC file."""
    turn, mirror = meta.find(b"\0\0\0\x09irot"), meta.find(b"\0\0\0\x09imir")
    quarters = meta[turn + 8] & 3 if turn >= 0 else 0
    return _TURNED[quarters, meta[mirror + 8] & 1 if mirror >= 0 else None]


def _av1_bits(meta: bytes) -> int:
    """Return the depth in bits of a sample, of which more than 8 are decoded as they are (AV1-ISOBMFF, 2.3.3)."""
    at = meta.find(b"av1C")
    return 12 if at >= 0 and meta[at + 6] & 0x20 else 10
