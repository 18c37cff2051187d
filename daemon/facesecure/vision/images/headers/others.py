"""The headers of WebP, BMP and GIF."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from facesecure.vision.images.headers.header import LARGER_PART, TOO_MANY_PARTS, ImageHeader
from facesecure.vision.images.headers.tiff import exif_orientation

_MOST_PARTS = 200_000
_GIF_EXTENSION, _GIF_IMAGE = 0x21, 0x2C


def webp(data: bytes) -> ImageHeader | None:
    """Return the header of a WebP; a frame larger than its canvas is a fault."""
    if data[8:12] != b"WEBP":
        return None
    complete = len(data) >= struct.unpack_from("<I", data, 4)[0] + 8
    if data[12:16] != b"VP8X":
        found = _webp_frame(data[12:16], data[20:32])
        return None if found is None else ImageHeader("WebP", found[0], found[1], complete, found[2])
    width, height = _webp_size(data[24:30])
    exif, largest = b"", 0
    for kind, body in _riff(data, 12):
        exif = body if kind == b"EXIF" and not exif else exif
        frame = _webp_frame(kind, body[:12])
        largest = max(largest, frame[0] * frame[1] if frame else 0)
    turn = exif_orientation(exif.removeprefix(b"Exif\0\0"))
    fault = LARGER_PART if largest > width * height else ""
    return ImageHeader(
        "WebP", width, height, complete, bool(data[20] & 0x10), orientation=turn, fault=fault,
        pixel_memory=24 if data[20] & 0x02 else 8,
    )  # fmt: skip


def _webp_frame(kind: bytes, head: bytes) -> tuple[int, int, bool] | None:
    """Return (width, height, transparent) of an image, or of a frame of an animation, by the start of its chunk."""
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 6)
        return width & 0x3FFF, height & 0x3FFF, False
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    if kind == b"ANMF":
        return *_webp_size(head[6:12]), False
    return None


def _webp_size(six: bytes) -> tuple[int, int]:
    return int.from_bytes(six[:3], "little") + 1, int.from_bytes(six[3:6], "little") + 1


def _riff(data: bytes, start: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the (kind, body) of each chunk of a RIFF file, also of those inside the frames of an animation."""
    at = start
    for _ in range(_MOST_PARTS):
        if at + 8 > len(data):
            return
        kind, length = struct.unpack_from("<4sI", data, at)
        yield kind, data[at + 8 : at + 8 + min(length, 1 << 20)]
        at += 8 + 16 if kind == b"ANMF" else 8 + length + length % 2


def bmp(data: bytes) -> ImageHeader:
    """Return the header of a BMP; the end is reckoned from the pixels, because many programs write a wrong size."""
    offset, header = struct.unpack_from("<II", data, 10)
    width, height = (abs(side) for side in struct.unpack_from("<HH" if header == 12 else "<ii", data, 18))
    (bits,) = struct.unpack_from("<H", data, 24 if header == 12 else 28)
    compression = struct.unpack_from("<I", data, 30)[0] if header >= 40 else 0
    needed = offset + (width * bits + 31) // 32 * 4 * height if compression in (0, 3) else 0
    return ImageHeader("BMP", width, height, len(data) >= needed)


def gif(data: bytes) -> ImageHeader:
    """Return the header of a GIF; a frame larger than its canvas is a fault."""
    width, height = struct.unpack_from("<HH", data, 6)
    fault = ""
    for frame in _gif_frames(data):
        fault = TOO_MANY_PARTS if frame is None else LARGER_PART if frame[0] > width or frame[1] > height else fault
    return ImageHeader("GIF", width, height, transparent=True, fault=fault, pixel_memory=12)  # where, the decoder says


def _gif_frames(data: bytes) -> Iterator[tuple[int, int] | None]:
    """Yield the (width, height) of each frame, and None if there are too many parts."""
    at = 13 + _colours(data[10])
    for _ in range(_MOST_PARTS):
        kind = data[at : at + 1]
        if kind == bytes([_GIF_EXTENSION]):
            at = _after_blocks(data, at + 2)
        elif kind == bytes([_GIF_IMAGE]) and at + 10 <= len(data):
            yield struct.unpack_from("<HH", data, at + 5)
            at = _after_blocks(data, at + 11 + _colours(data[at + 9]))
        else:
            return
    yield None


def _colours(flags: int) -> int:
    """Return the bytes of the table of colours that ``flags`` announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1
