"""Parse the headers of image files: format, size, orientation, transparency, and whether the end is there.

``read_header`` parses the formats that are decoded; ``foreign_format`` names others, for the error. Both are as lenient
as the decoders: what a decoder skips (stray bytes between JPEG segments, anything after the end) is skipped here too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers without a length (ITU-T T.81, table B.1)."""
_PNG_END = b"\0\0\0\0IEND"
_META = 1 << 16
"""Bytes at the start of an AVIF or HEIC file in which its properties are looked for."""
_TURNED: dict[tuple[int, int | None], int] = {
    (0, None): 1, (0, 0): 4, (0, 1): 2,
    (1, None): 8, (1, 0): 5, (1, 1): 7,
    (2, None): 3, (2, 0): 2, (2, 1): 4,
    (3, None): 6, (3, 0): 7, (3, 1): 5,
}  # fmt: skip
"""EXIF orientation for the anticlockwise quarter turns of an ``irot`` box, and the ``imir`` box that mirrors after it:
0 exchanges top and bottom, 1 left and right (ISO/IEC 23008-12, 6.5.10 and 6.5.12)."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """The header of an image file: ``format`` as in messages, sizes in pixels as stored, before any turn.

    ``complete``: the end is there; ``progressive`` is set for JPEG only. ``orientation`` is EXIF's, 1 to 8; 1 where the
    decoder turns the image itself. ``premultiplied`` lists the depths in bits at which colours are decoded
    multiplied by their opacity; ``bits`` is the depth of a sample that has more than 8.
    """

    format: str
    width: int
    height: int
    complete: bool = True
    transparent: bool = False
    progressive: bool = False
    orientation: int = 1
    premultiplied: frozenset[int] = frozenset()
    bits: int = 16

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height


def read_header(data: bytes) -> ImageHeader | None:
    """Return the header of an encoded image; None for another format or a damaged header."""
    readers = (
        (b"\xff\xd8\xff", _jpeg),
        (b"\x89PNG\r\n\x1a\n", _png),
        (b"RIFF", _webp),
        (b"BM", _bmp),
        (b"II*\0", _tiff),
        (b"MM\0*", _tiff),
        (b"II+\0", _big_tiff),
        (b"MM\0+", _big_tiff),
        (b"GIF8", _gif),
        (b"\0\0\0\x0cjP  ", _jpeg2000),
    )
    reader = next((reader for magic, reader in readers if data.startswith(magic)), None)
    if _brand(data) in ("AVIF", "HEIC"):
        reader = _heif
    try:
        return reader(data) if reader else None
    except (struct.error, IndexError):
        return None


def foreign_format(data: bytes) -> str | None:
    """Return the name of a common format by its first bytes; None if they are not known, or a supported format's."""
    known = {
        b"GIF8": "GIF",
        b"%PDF": "PDF",
        b"\xff\x0a": "JPEG XL",
        b"\0\0\0\x0cJXL ": "JPEG XL",
        b"<svg": "SVG",
        b"8BPS": "Photoshop",
    }
    return _brand(data) or next((name for magic, name in known.items() if data.startswith(magic)), None)


def _brand(data: bytes) -> str | None:
    """Return the format of an ISO media file by its brands; None for other files."""
    if data[4:8] != b"ftyp":
        return None
    size = min(int.from_bytes(data[:4], "big"), 256)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, size, 4))]
    if any(brand in (b"avif", b"avis") for brand in brands):
        return "AVIF"
    return "HEIC" if brands[0][:2] in (b"he", b"mi", b"ms") else "a video"


def _jpeg(data: bytes) -> ImageHeader | None:
    at, size, progressive, orientation = 2, None, False, 1
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker in (0, 0xFF) or marker in _STANDALONE:  # stray bytes and padding: libjpeg skips them too
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            size = struct.unpack_from(">HH", data, at + 5)
            progressive = marker in (0xC2, 0xC6, 0xCA, 0xCE)
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            orientation = _orientation(data[at + 10 : at + 2 + length])
        if marker == 0xDA:  # the pixels begin; an end marker before this belongs to an embedded preview
            break
        at += 2 + length
    if size is None:
        return None
    complete = at >= 0 and data.find(b"\xff\xd9", at) >= 0
    return ImageHeader("JPEG", size[1], size[0], complete, progressive=progressive, orientation=orientation)


def _png(data: bytes) -> ImageHeader:
    width, height, _, colour = struct.unpack_from(">IIBB", data, 16)
    transparent = colour in (4, 6) or b"tRNS" in data[: max(0, data.find(b"IDAT"))]
    exif = next((body for kind, body in _chunks(data, 8, ">") if kind == b"eXIf"), b"")
    return ImageHeader("PNG", width, height, _PNG_END in data, transparent, orientation=_orientation(exif))


def _chunks(data: bytes, start: int, order: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield the (kind, body) of each chunk of a PNG (``order`` ">") or RIFF file ("<")."""
    at = start
    while at + 8 <= len(data):
        if order == ">":
            length, kind = struct.unpack_from(">I4s", data, at)
            step = 12 + length
        else:
            kind, length = struct.unpack_from("<4sI", data, at)
            step = 8 + length + length % 2
        yield kind, data[at + 8 : at + 8 + length]
        at += step


def _webp(data: bytes) -> ImageHeader | None:
    if data[8:12] != b"WEBP":
        return None
    kind, complete = data[12:16], len(data) >= struct.unpack_from("<I", data, 4)[0] + 8
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return ImageHeader("WebP", width & 0x3FFF, height & 0x3FFF, complete)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return ImageHeader("WebP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, complete, bool(bits >> 28 & 1))
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        exif = next((body for name, body in _chunks(data, 12, "<") if name == b"EXIF"), b"")
        turn = _orientation(exif.removeprefix(b"Exif\0\0"))
        return ImageHeader("WebP", width, height, complete, bool(data[20] & 0x10), orientation=turn)
    return None


def _bmp(data: bytes) -> ImageHeader:
    """Parse a BMP; the end is reckoned from the pixels, because many programs write a wrong file size."""
    offset, header = struct.unpack_from("<II", data, 10)
    width, height = (abs(side) for side in struct.unpack_from("<HH" if header == 12 else "<ii", data, 18))
    (bits,) = struct.unpack_from("<H", data, 24 if header == 12 else 28)
    compression = struct.unpack_from("<I", data, 30)[0] if header >= 40 else 0
    needed = offset + (width * bits + 31) // 32 * 4 * height if compression in (0, 3) else 0
    return ImageHeader("BMP", width, height, len(data) >= needed)


def _tiff(data: bytes) -> ImageHeader | None:
    order = "<" if data[:2] == b"II" else ">"
    values = _tags(data, order)
    return _tiff_size(values)


def _big_tiff(data: bytes) -> ImageHeader | None:
    order = "<" if data[:2] == b"II" else ">"
    (directory,) = struct.unpack_from(order + "Q", data, 8)
    (count,) = struct.unpack_from(order + "Q", data, directory)
    values: dict[int, int] = {}
    for number in range(min(count, 1000)):
        entry = directory + 8 + 20 * number
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        values[tag] = struct.unpack_from(order + {3: "H", 4: "I"}.get(kind, "Q"), data, entry + 12)[0]
    return _tiff_size(values)


def _tiff_size(values: dict[int, int]) -> ImageHeader | None:
    """Return the header; its orientation stays 1, because the decoder turns TIFF itself.

    A fourth sample of RGB is its opacity. ExtraSamples (tag 338) is 1 where the colours are multiplied by it; where it
    is 2, libtiff multiplies 8-bit colours itself.
    """
    if 256 not in values or 257 not in values:
        return None
    transparent = values.get(262) == 2 and values.get(277, 1) >= 4
    premultiplied = {1: frozenset({8, 16}), 2: frozenset({8})}.get(values.get(338, 0), frozenset[int]())
    return ImageHeader("TIFF", values[256], values[257], transparent=transparent, premultiplied=premultiplied)


def _tags(data: bytes, order: str) -> dict[int, int]:
    """Return the first value of each tag of the first directory of a TIFF, which is what EXIF data is too."""
    (directory,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, directory)
    values: dict[int, int] = {}
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        values[tag] = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, entry + 8)[0]
    return values


def _orientation(exif: bytes) -> int:
    """Return the orientation in EXIF data (a TIFF structure), 1 to 8; 1 where there is none, or it is damaged."""
    if exif[:2] not in (b"II", b"MM"):
        return 1
    try:
        found = _tags(exif, "<" if exif[:2] == b"II" else ">").get(0x0112, 1)
    except struct.error:
        return 1
    return found if 1 <= found <= 8 else 1


def _gif(data: bytes) -> ImageHeader:
    width, height = struct.unpack_from("<HH", data, 6)
    return ImageHeader("GIF", width, height, transparent=True)  # it may be, and the decoder says where


def _jpeg2000(data: bytes) -> ImageHeader | None:
    at = data.find(b"ihdr", 0, _META)
    height, width, components = struct.unpack_from(">IIH", data, at + 4)
    return ImageHeader("JPEG 2000", width, height, transparent=components == 4) if at >= 0 else None


def _heif(data: bytes) -> ImageHeader | None:
    """Parse the properties of an AVIF or HEIC file: the largest size, and the turn, which replaces EXIF's there."""
    meta, sizes, at = data[:_META], [], -1
    while (at := meta.find(b"ispe", at + 1)) >= 0:
        sizes.append(struct.unpack_from(">II", meta, at + 8))
    if not sizes:
        return None
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    transparent = b":auxiliary:alpha" in meta
    return ImageHeader(
        _brand(data) or "HEIC", width, height, transparent=transparent, orientation=_turned(meta), bits=_av1_bits(meta)
    )


def _turned(meta: bytes) -> int:
    """Return the EXIF orientation that stands for the turn and the mirror of an AVIF or HEIC file."""
    turn, mirror = meta.find(b"\0\0\0\x09irot"), meta.find(b"\0\0\0\x09imir")
    quarters = meta[turn + 8] & 3 if turn >= 0 else 0
    return _TURNED[quarters, meta[mirror + 8] & 1 if mirror >= 0 else None]


def _av1_bits(meta: bytes) -> int:
    """Return the depth in bits of a sample, of which more than 8 are decoded as they are (AV1-ISOBMFF, 2.3.3)."""
    at = meta.find(b"av1C")
    return 12 if at >= 0 and meta[at + 6] & 0x20 else 10
