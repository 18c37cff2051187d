"""Parse the headers of image files: format, size, orientation, transparency, and whether the end is there.

``read_header`` parses the formats that are decoded; ``foreign_format`` names others, for the error. Both are as lenient
as the decoders: what a decoder skips (stray bytes between JPEG segments, anything after the end) is skipped here too.
"""

from __future__ import annotations

import struct

from facesecure.vision.images.headers.boxes import brand, heif, jpeg2000
from facesecure.vision.images.headers.header import ImageHeader
from facesecure.vision.images.headers.jpeg import jpeg
from facesecure.vision.images.headers.others import bmp, gif, webp
from facesecure.vision.images.headers.png import png
from facesecure.vision.images.headers.raw import is_raw
from facesecure.vision.images.headers.tiff import TIFF_MAGIC, tiff

__all__ = ["FOREIGN_FORMATS", "ImageHeader", "foreign_format", "read_header"]

_READERS = (
    (b"\xff\xd8\xff", jpeg),
    (b"\x89PNG\r\n\x1a\n", png),
    (b"RIFF", webp),
    (b"BM", bmp),
    *((magic, tiff) for magic in TIFF_MAGIC),
    (b"GIF8", gif),
    (b"\0\0\0\x0cjP  ", jpeg2000),
)
_FOREIGN = {
    b"GIF8": "GIF",
    b"%PDF": "PDF",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"<svg": "SVG",
    b"8BPS": "Photoshop",
    b"\xff\x4f\xff\x51": "a bare JPEG 2000 stream",
    b"\0\0\1\0": "an icon",
    b"icns": "an icon",
    b"qoif": "QOI",
    b"%!PS": "PostScript",
    b"#?RADIANCE": "Radiance HDR",
    b"v/1\1": "OpenEXR",
    **{b"P%d%c" % (kind, space): "a portable pixmap" for kind in range(1, 8) for space in b"\n\r\t "},
    b"PF\n": "a portable pixmap",
    b"Pf\n": "a portable pixmap",
}
_RAW = "a RAW photo"
FOREIGN_FORMATS = frozenset({*_FOREIGN.values(), _RAW, "a video", "HEIC", "AVIF"})
"""Every name that ``foreign_format`` returns."""


def read_header(data: bytes) -> ImageHeader | None:
    """Return the header of an encoded image; None for another format, a RAW photo or a damaged header."""
    if is_raw(data):
        return None
    reader = next((reader for magic, reader in _READERS if data.startswith(magic)), None)
    if brand(data) in ("AVIF", "HEIC"):
        reader = heif
    try:
        return reader(data) if reader else None
    except (struct.error, IndexError):
        return None


def foreign_format(data: bytes) -> str | None:
    """Return the name of a common format by its first bytes; None if they are not known, or a supported format's."""
    if is_raw(data):
        return _RAW
    known = next((name for magic, name in _FOREIGN.items() if data.startswith(magic)), None)
    return brand(data) or known or ("SVG" if _is_svg(data) else None)


def _is_svg(data: bytes) -> bool:
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith((b"<?xml", b"<!DOCTYPE svg", b"<!--")) and b"<svg" in head
