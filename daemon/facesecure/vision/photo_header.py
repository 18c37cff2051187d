"""What a picture file says of itself before anybody decodes it: format, size, transparency, completeness.

A header costs nothing to read; a decoded picture may cost all the memory there is. Facts from the formats'
specifications: JPEG ITU-T T.81 annex B, PNG (W3C), WebP container (RFC 9649), BMP (Microsoft), TIFF 6.0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Header:
    """``format`` is JPEG, PNG, WebP, BMP or TIFF; sizes in pixels. ``progressive`` only for JPEG."""

    format: str
    width: int
    height: int
    complete: bool = True
    transparent: bool = False
    progressive: bool = False

    @property
    def pixels(self) -> int:
        return self.width * self.height


def read_header(data: bytes) -> Header | None:
    """The header of an encoded picture; None if it is none of the five formats or its header is damaged."""
    readers = (
        (b"\xff\xd8\xff", _jpeg),
        (b"\x89PNG\r\n\x1a\n", _png),
        (b"RIFF", _webp),
        (b"BM", _bmp),
        (b"II*\0", _tiff),
        (b"MM\0*", _tiff),
    )
    for magic, reader in readers:
        if data.startswith(magic):
            try:
                return reader(data)
            except (struct.error, IndexError):
                return None
    return None


def foreign_format(data: bytes) -> str | None:
    """The name of a format people have that we do not read, or None."""
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        if brand in (b"avif", b"avis"):
            return "AVIF"
        return "HEIC" if brand[:2] in (b"he", b"mi", b"ms") else "a video"
    known = {
        b"GIF8": "GIF",
        b"%PDF": "PDF",
        b"\xff\x0a": "JPEG XL",
        b"\0\0\0\x0cJXL ": "JPEG XL",
        b"<svg": "SVG",
        b"8BPS": "Photoshop",
    }
    return next((name for magic, name in known.items() if data.startswith(magic)), None)


def _jpeg(data: bytes) -> Header | None:
    at, size, progressive = 2, None, False
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            size = struct.unpack_from(">HH", data, at + 5)
            progressive = marker in (0xC2, 0xC6, 0xCA, 0xCE)
        if marker == 0xDA:  # the pixels begin; an end marker before this belongs to an embedded preview
            break
        at += 2 + length
    if size is None:
        return None
    return Header("JPEG", size[1], size[0], data.find(b"\xff\xd9", at) >= 0, progressive=progressive)


def _png(data: bytes) -> Header:
    width, height, _, colour = struct.unpack_from(">IIBB", data, 16)
    transparent = colour in (4, 6) or b"tRNS" in data[: max(0, data.find(b"IDAT"))]
    return Header("PNG", width, height, b"IEND" in data[-64:], transparent)


def _webp(data: bytes) -> Header | None:
    if data[8:12] != b"WEBP":
        return None
    kind, complete = data[12:16], len(data) >= struct.unpack_from("<I", data, 4)[0] + 8
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header("WebP", width & 0x3FFF, height & 0x3FFF, complete)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return Header("WebP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, complete, bool(bits >> 28 & 1))
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return Header("WebP", width, height, complete, bool(data[20] & 0x10))
    return None


def _bmp(data: bytes) -> Header:
    (size, _, _, header) = struct.unpack_from("<IIII", data, 2)
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", data, 18)
    return Header("BMP", abs(width), abs(height), len(data) >= size)


def _tiff(data: bytes) -> Header | None:
    order = "<" if data[:2] == b"II" else ">"
    (directory,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, directory)
    values: dict[int, int] = {}
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        values[tag] = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, entry + 8)[0]
    if 256 not in values or 257 not in values:
        return None
    return Header("TIFF", values[256], values[257])
