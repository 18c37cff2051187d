"""The header of a TIFF, a BigTIFF, and of EXIF data, which is a TIFF too."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from facesecure.vision.images.headers.header import ImageHeader

TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""The first bytes of a TIFF and of a BigTIFF, in both byte orders."""
_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
"""Types of a field that are whole numbers, and their letters in ``struct``."""
_MOST_DIRECTORIES = 64
_MOST_FIELDS = 1000
_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SAMPLES = 256, 257, 258, 262, 277
_TILE_WIDTH, _TILE_HEIGHT, _EXTRA_SAMPLES, _ORIENTATION = 322, 323, 338, 0x0112

Fields = dict[int, int]


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a TIFF counts: its byte order, and the letters and sizes of a field, of a count and of an offset."""

    order: str
    big: bool

    @property
    def offset(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def entry(self) -> int:
        return 20 if self.big else 12


def tiff(data: bytes) -> ImageHeader | None:
    """Return the header of a TIFF or BigTIFF; its orientation stays 1, because the decoder turns TIFF itself.

    A fourth sample of RGB is its opacity. ExtraSamples is 1 where the colours are multiplied by it; where it is 2,
    libtiff multiplies 8-bit colours itself. ``largest`` counts every image of the file, and its tiles.
    """
    directories = _directories(data, _layout(data))
    first = directories[0] if directories else {}
    if _WIDTH not in first or _HEIGHT not in first:
        return None
    transparent = first.get(_PHOTOMETRIC) == 2 and first.get(_SAMPLES, 1) >= 4
    premultiplied = {1: frozenset({8, 16}), 2: frozenset({8})}.get(first.get(_EXTRA_SAMPLES, 0), frozenset[int]())
    return ImageHeader(
        "TIFF", first[_WIDTH], first[_HEIGHT], transparent=transparent, premultiplied=premultiplied,
        pixel_memory=6 + 3 * (_sample_bits(first) + 7 >> 3), largest=max(map(_pixels, directories)),
    )  # fmt: skip


def first_fields(data: bytes) -> Fields:
    """Return the first number of each field of the first image of a TIFF. Raises struct.error if it is cut."""
    layout = _layout(data)
    return _fields(data, layout, _offset(data, layout, 8 if layout.big else 4))[0]


def exif_orientation(exif: bytes) -> int:
    """Return the orientation in EXIF data, 1 to 8; 1 where there is none, or it is damaged."""
    if exif[:2] not in (b"II", b"MM"):
        return 1
    layout = _Layout("<" if exif[:2] == b"II" else ">", big=False)
    try:
        found = _fields(exif, layout, _offset(exif, layout, 4))[0].get(_ORIENTATION, 1)
    except struct.error:
        return 1
    return found if 1 <= found <= 8 else 1


def _layout(data: bytes) -> _Layout:
    return _Layout("<" if data[:2] == b"II" else ">", data[2:4] in (b"+\0", b"\0+"))


def _sample_bits(fields: Fields) -> int:
    """Return the bits of a pixel."""
    return max(1, fields.get(_SAMPLES, 1)) * max(8, fields.get(_BITS, 8))


def _pixels(fields: Fields) -> int:
    """Return the pixels of an image, or of a tile where that is larger."""
    return max(fields.get(_WIDTH, 0) * fields.get(_HEIGHT, 0), fields.get(_TILE_WIDTH, 0) * fields.get(_TILE_HEIGHT, 0))


def _directories(data: bytes, layout: _Layout) -> list[Fields]:
    """Return the fields of each image of a TIFF; a chain that leads back or out of the file ends there."""
    at, seen, found = _offset(data, layout, 8 if layout.big else 4), set[int](), list[Fields]()
    while at and at not in seen and len(found) < _MOST_DIRECTORIES:
        seen.add(at)
        try:
            fields, at = _fields(data, layout, at)
        except struct.error:
            break
        found.append(fields)
    return found


def _fields(data: bytes, layout: _Layout, at: int) -> tuple[Fields, int]:
    """Return the first number of each field of the directory at ``at``, and where the next directory is, or 0.

    The first of several fields with one number counts, as for libtiff. Raises struct.error beyond the end.
    """
    count = _number(layout.order + ("Q" if layout.big else "H"), data, at)
    start, fields = at + (8 if layout.big else 2), Fields()
    for number in range(min(count, _MOST_FIELDS)):
        tag, value = _field(data, layout, start + layout.entry * number)
        fields.setdefault(tag, value)
    try:
        following = _offset(data, layout, start + layout.entry * count)
    except struct.error:  # EXIF data often ends here
        following = 0
    return fields, following


def _field(data: bytes, layout: _Layout, at: int) -> tuple[int, int]:
    """Return the tag and first number of a field; the number of one that holds no numbers means nothing."""
    tag, kind = struct.unpack_from(layout.order + "HH", data, at)
    (count,) = struct.unpack_from(layout.offset, data, at + 4)
    place = at + (12 if layout.big else 8)
    number = layout.order + _NUMBERS.get(kind, "I")
    if count * struct.calcsize(number) > struct.calcsize(layout.offset):
        place = _offset(data, layout, place)
        if kind not in _NUMBERS or place + struct.calcsize(number) > len(data):
            return tag, 0
    return tag, _number(number, data, place)


def _offset(data: bytes, layout: _Layout, at: int) -> int:
    return _number(layout.offset, data, at)


def _number(letters: str, data: bytes, at: int) -> int:
    """Return the number at ``at``. Raises struct.error beyond the end, also for offsets that no C type holds."""
    if at > len(data):
        raise struct.error(f"{at} is beyond the end")
    return int(struct.unpack_from(letters, data, at)[0])
