"""Pictures made to take all memory or all time of whatever decodes them, each of some kB, and what made each fail."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from PIL import Image as Pillow

from facesecure.domain import Image

SMALL = (160, 120)


def picture(size: tuple[int, int] = SMALL) -> Image:
    """A smooth picture, (height, width, 3): what is sent with a bomb to see that the next one is decoded."""
    width, height = size
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.dstack([across, down, 255 - across]).astype(np.uint8)


def encoded(kind: str, size: tuple[int, int] = SMALL, **how: Any) -> bytes:
    """The smooth picture as a file."""
    return packed(Pillow.fromarray(picture(size)), kind, **how)


def packed(image: Pillow.Image, kind: str, **how: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *, depth: int = 8, colour: int = 2, before: bytes = b"", rows: bool = True) -> bytes:
    """A PNG whose pixels are all zero, compressed; ``before`` are chunks between its header and its pixels."""
    samples = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    packer = zlib.compressobj(9)
    row = bytes(1 + width * samples * depth // 8)
    pixels = b"".join(packer.compress(row) for _ in range(height if rows else 1)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header) + before + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def jpeg_of_size(data: bytes, width: int, height: int) -> bytes:
    """The JPEG ``data`` with another size in its frame header."""
    at = frame_of(data)
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def frame_of(data: bytes) -> int:
    """Where the frame header of a JPEG begins."""
    return next(at for at in range(len(data)) if data[at] == 0xFF and data[at + 1] in (0xC0, 0xC2))


def _segment(data: bytes, at: int) -> bytes:
    return data[at : at + 2 + struct.unpack_from(">H", data, at + 2)[0]]


def progressive_of(scans: int, size: tuple[int, int] = SMALL) -> bytes:
    """A progressive JPEG whose first scan comes ``scans`` times: each is as much work as the first."""
    data = encoded("jpeg", size, progressive=True)
    at = data.index(b"\xff\xda")
    end = data.index(b"\xff\xc4", at)
    return data[:at] + data[at:end] * scans + data[end:]


def slow_progressive() -> bytes:
    """A progressive JPEG of 20 megapixels of noise whose last scan, the one that refines most, comes 90 times."""
    noise = np.random.default_rng(0).integers(88, 168, (500, 500, 1), dtype=np.uint8)
    data = packed(Pillow.fromarray(np.tile(noise, (8, 10, 3))), "jpeg", progressive=True, quality=30)
    at, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:at] + data[at:end] * 90 + data[end:]


def _one_component_first(data: bytes) -> bytes:
    """A baseline JPEG whose first scan has one component: the decoder keeps all coefficients in memory."""
    at = data.index(b"\xff\xda")
    return data[:at] + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" + data[at + len(_segment(data, at)) :]


def _second_frame(data: bytes, width: int, height: int) -> bytes:
    frame = _segment(data, at := frame_of(data))
    return data[:at] + frame + frame[:5] + struct.pack(">HH", height, width) + frame[9:] + data[at + len(frame) :]


def _tiff(fields: dict[int, tuple[int, int]], following: dict[int, tuple[int, int]] | None = None) -> bytes:
    """A little-endian TIFF of (type, value) by field, with a second image if ``following`` is given."""

    def directory(fields: dict[int, tuple[int, int]], after: int) -> bytes:
        entries = b"".join(
            struct.pack("<HHI", tag, kind, 1) + struct.pack("<I", value)
            for tag, (kind, value) in sorted(fields.items())
        )
        return struct.pack("<H", len(fields)) + entries + struct.pack("<I", after)

    second = 8 + 2 + 12 * len(fields) + 4 if following else 0
    return b"II*\0\x08\0\0\0" + directory(fields, second) + (directory(following, 0) if following else b"")


def _tiff_fields(width: int, height: int, **more: int) -> dict[int, tuple[int, int]]:
    known = {"bits": 258, "compression": 259, "samples": 277, "tile_width": 322, "tile_height": 323, "tiles": 324,
             "tile_bytes": 325, "strips": 273, "strip_bytes": 279, "rows": 278}  # fmt: skip
    return {256: (4, width), 257: (4, height), 262: (3, 2)} | {known[name]: (4, value) for name, value in more.items()}


def _gif(canvas: tuple[int, int], frame: tuple[int, int]) -> bytes:
    data = bytearray(packed(Pillow.new("P", SMALL), "gif"))
    struct.pack_into("<HH", data, 6, *canvas)
    struct.pack_into("<HH", data, data.index(b"\x2c\0\0\0\0") + 5, *frame)
    return bytes(data)


def _webp_canvas(canvas: tuple[int, int], frame: bytes) -> bytes:
    """A WebP with a canvas of that size around the frame of another file."""
    sides = b"".join((side - 1).to_bytes(3, "little") for side in canvas)
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + sides + frame[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _with_size(data: bytes, width: int, height: int, box: bytes = b"ispe") -> bytes:
    """A file of boxes with another size in each box called ``box``."""
    changed, at = bytearray(data), -1
    while (at := data.find(box, at + 1)) >= 0:
        sides = (width, height) if box == b"ispe" else (height, width)
        struct.pack_into(">II", changed, at + (8 if box == b"ispe" else 4), *sides)
    return bytes(changed)


def heic(size: tuple[int, int]) -> bytes:
    """A black HEIC of that size."""
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(Pillow.new("RGB", size)).save(buffer, quality=20)
    return buffer.getvalue()


def _bmp(width: int, height: int) -> bytes:
    """A BMP of run lengths, which end at once."""
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 2, 0, 0, 2, 0)
    return b"BM" + struct.pack("<IHHI", 14 + 40 + 8 + 2, 0, 0, 62) + head + bytes(8) + b"\0\x01"


def _jp2(width: int, height: int, header: tuple[int, int] = SMALL) -> bytes:
    """A JPEG 2000 whose box says ``header``, and whose codestream says another size."""
    data = bytearray(_with_size(encoded("jpeg2000"), *header, box=b"ihdr"))
    at = data.index(b"\xff\x4f\xff\x51")
    struct.pack_into(">II", data, at + 8, width, height)
    struct.pack_into(">II", data, at + 24, width, height)  # one tile
    return bytes(data)


def _thumbnail() -> bytes:
    """A JPEG whose EXIF data hold a thumbnail that claims to be huge: no decoder looks at it."""
    exif = Pillow.Exif()
    exif[0x0112] = 1
    body = exif.tobytes() + jpeg_of_size(encoded("jpeg", (64, 64)), 65_000, 65_000)
    data = encoded("jpeg")
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def _frames(width: int, height: int) -> bytes:
    """The chunks that make a PNG an animation of one frame of that size."""
    return chunk(b"acTL", struct.pack(">II", 1, 0)) + chunk(
        b"fcTL", struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 25, 0, 0)
    )


@cache
def _zeros() -> bytes:
    """Return 300 MB of zeros, in 300 kB."""
    return zlib.compress(bytes(300_000_000), 9)


REFUSED: dict[str, Callable[[], bytes]] = {
    "PNG, IDAT longer than the file": lambda: png(160, 120).replace(
        struct.pack(">I", len(png(160, 120)) - 57) + b"IDAT", b"\x7f\xff\xff\xf0IDAT"
    ),
    "PNG, 16-bit RGBA": lambda: png(7000, 7000, depth=16, colour=6),
    "PNG, 50000x50000": lambda: png(50_000, 50_000, rows=False),
    "PNG, two headers": lambda: png(
        160, 120, before=chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
    ),
    "PNG, huge frame of an animation": lambda: png(160, 120, before=_frames(30_000, 30_000)),
    "JPEG, progressive, 30000x30000": lambda: jpeg_of_size(encoded("jpeg", progressive=True), 30_000, 30_000),
    "JPEG, baseline in several scans": lambda: jpeg_of_size(_one_component_first(encoded("jpeg")), 60_000, 60_000),
    "JPEG, lossless": lambda: jpeg_of_size(encoded("jpeg"), 30_000, 30_000).replace(b"\xff\xc0", b"\xff\xc3"),
    "JPEG, two headers, the second huge": lambda: _second_frame(encoded("jpeg"), 65_000, 65_000),
    "JPEG, two headers, the first huge": lambda: _second_frame(
        jpeg_of_size(encoded("jpeg", progressive=True), 65_000, 65_000), 160, 120
    ),
    "JPEG, 3000 scans": lambda: progressive_of(3000),
    "TIFF, huge second image": lambda: _tiff(_tiff_fields(160, 120), _tiff_fields(60_000, 60_000)),
    "TIFF, huge tile": lambda: _tiff(
        _tiff_fields(160, 120, bits=8, compression=8, samples=3, tile_width=32_768, tile_height=10_000, tiles=8)
    ),
    "TIFF, 16-bit RGBA": lambda: _tiff(
        _tiff_fields(8000, 6000, bits=16, compression=8, samples=4, rows=6000, strips=8, strip_bytes=100)
    ),
    "TIFF, huge strip": lambda: _tiff(
        _tiff_fields(160, 120, bits=8, compression=8, samples=3, rows=2_000_000, strips=8, strip_bytes=100)
    ),
    "TIFF, directory that follows itself": lambda: (
        _tiff(_tiff_fields(160, 120), _tiff_fields(160, 120))[:-4] + struct.pack("<I", 8)
    ),
    "GIF, huge canvas": lambda: _gif((65_000, 65_000), SMALL),
    "GIF, huge frame": lambda: _gif(SMALL, (65_000, 65_000)),
    "WebP, huge frame": lambda: _webp_canvas(SMALL, packed(Pillow.new("RGB", (5000, 5000)), "webp", method=0)),
    "WebP, frame that claims more": lambda: encoded("webp").replace(
        struct.pack("<HH", *SMALL), struct.pack("<HH", 16_383, 16_383), 1
    ),
    "WebP, huge canvas": lambda: _webp_canvas((16_000, 16_000), encoded("webp")),
    "AVIF, small in its header": lambda: _with_size(
        packed(Pillow.new("RGB", (8000, 8000)), "avif", speed=10), 160, 120
    ),
    "AVIF, huge in its header": lambda: _with_size(encoded("avif"), 30_000, 30_000),
    "HEIC, small in its header": lambda: _with_size(heic((5000, 4000)), *SMALL),
    "HEIC, huge in its header": lambda: _with_size(heic(SMALL), 30_000, 30_000),
    "JPEG 2000, small in its header": lambda: _jp2(60_000, 60_000),
    "BMP, run lengths": lambda: _bmp(30_000, 30_000),
    "SVG": lambda: b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="60000" height="60000"/>',
}
"""Bombs that give no picture."""
HARMLESS: dict[str, Callable[[], bytes]] = {
    "PNG, 300 MB of colour profile": lambda: png(160, 120, before=chunk(b"iCCP", b"x\0\0" + _zeros())),
    "PNG, 300 MB of text": lambda: png(160, 120, before=chunk(b"zTXt", b"x\0\0" + _zeros())),
    "JPEG, huge thumbnail": _thumbnail,
    "JPEG, 1.5 gigapixels in one scan": lambda: jpeg_of_size(encoded("jpeg"), 39_000, 39_000),
    "BMP, run lengths of 49 megapixels": lambda: _bmp(7000, 7000),
}
"""Bombs that a decoder within limits may read, or refuse, as it likes."""


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return ``data`` with bytes changed, moved, repeated and cut; headers more often than pixels."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 2, 8, 40))):
        at = chance.randrange(min(len(changed), chance.choice((64, 512, len(changed)))) or 1)
        match chance.randrange(6):
            case 0 | 1:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 2:
                changed[at : at + 4] = chance.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\0\0\xff\xff"))
            case 3:
                del changed[at : at + chance.randrange(1, 20)]
            case 4:
                changed[at:at] = changed[at : at + chance.randrange(1, 200)]
            case _:
                changed[at:at] = chance.randbytes(chance.randrange(1, 8))
    if chance.random() < 0.1:
        del changed[chance.randrange(len(changed) or 1) :]
    return bytes(changed)
