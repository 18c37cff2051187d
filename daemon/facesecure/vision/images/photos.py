"""Read photo files from phones and folders: upright, 8-bit RGB, of bounded size.

``read_photo`` checks a file's header before it decodes; ``read_header`` parses the headers of the five formats, and
``foreign_format`` names formats that are not supported, for the error.
"""

from __future__ import annotations

import logging
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.domain.errors import ImageError

log = logging.getLogger(__name__)

MAX_PIXELS = 24_000_000
"""Larger images are reduced to this; a face in a larger one is larger than any detector needs."""
MAX_DECODED = 50_000_000
"""A format that can only be decoded whole (all but baseline JPEG) is refused above this: 150 MB of memory."""
MAX_BYTES = 256_000_000
"""Largest file that is read."""
MIN_SIDE = 12
"""Smallest width and height, pixels."""

_SUPPORTED = "save it as JPEG or PNG"


def read_photo(path: Path | str) -> Image:
    """Read the image in ``path`` as uint8 RGB (height, width, 3), turned upright as its EXIF data says.

    Reads JPEG, PNG, WebP, BMP and TIFF; grey, palette, CMYK and 16-bit images become 8-bit RGB, and transparent ones
    get a white background. More than 24 megapixels are reduced to that; a large JPEG is already decoded smaller, in
    bounded memory. Raises ImageError, which names the file and what to do.
    """
    path = Path(path).expanduser()
    data = _read(path)
    header = _checked(path, data)
    image = _decode(data, header)
    if image is None:
        raise ImageError(f"{path} is damaged and cannot be decoded", "copy it again, or use another image")
    return _at_most(image, MAX_PIXELS)


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise ImageError(
            f"{path} is a folder, not an image",
            "name the images in it, or give the folder where a folder is asked for",
        )
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(f"{path} has {path.stat().st_size // 1_000_000} MB, too many for an image", _SUPPORTED)
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError(
            f"there is no image {path}", "check the path; a relative one starts where the command is run"
        ) from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read ({error.strerror})", "check its permissions") from None


def _checked(path: Path, data: bytes) -> ImageHeader:
    """Return the header of ``data``. Raises ImageError where the file cannot be decoded within the limits."""
    header = read_header(data)
    if header is None:
        raise _not_an_image(path, data)
    if not header.complete:
        raise ImageError(
            f"{path} is cut short: the end of the image is missing", "copy it again from where it came from"
        )
    if min(header.width, header.height) < MIN_SIDE:
        raise ImageError(
            f"{path} has only {header.width}x{header.height} pixels",
            f"a face needs at least {MIN_SIDE} each way, and 112 to be recognised well",
        )
    limit = MAX_PIXELS * 64 if _shrinks_while_decoding(header) else MAX_DECODED
    if header.pixels > limit:
        raise ImageError(
            f"{path} claims {header.width}x{header.height} pixels, too many for a {header.format}",
            "scale it down, or save it as a plain JPEG",
        )
    return header


def _not_an_image(path: Path, data: bytes) -> ImageError:
    if not data:
        return ImageError(f"{path} is empty", "copy it again from where it came from")
    foreign = foreign_format(data)
    if foreign == "HEIC":
        return ImageError(
            f"{path} is a HEIC image, which cannot be read here",
            "export it as JPEG; on an iPhone: Settings > Camera > Formats > Most Compatible",
        )
    if foreign:
        return ImageError(f"{path} is {foreign}, which cannot be read here", _SUPPORTED)
    return ImageError(f"{path} is not an image, whatever its name says", _SUPPORTED)


def _shrinks_while_decoding(header: ImageHeader) -> bool:
    """Return whether it is a baseline JPEG; a progressive one keeps all its coefficients in memory at any scale."""
    return header.format == "JPEG" and not header.progressive


def _decode(data: bytes, header: ImageHeader) -> Image | None:
    encoded = np.frombuffer(data, np.uint8)
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # the ImageError replaces its messages on stderr
    try:
        if header.transparent:
            return _on_white(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED))
        image = cv2.imdecode(encoded, _flags(header))
    except cv2.error as error:
        log.debug("OpenCV refuses a %s: %s", header.format, error)
        return None
    finally:
        cv2.utils.logging.setLogLevel(level)
    return None if image is None else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def _flags(header: ImageHeader) -> int:
    if not _shrinks_while_decoding(header):
        return cv2.IMREAD_COLOR
    reduced = (cv2.IMREAD_COLOR, cv2.IMREAD_REDUCED_COLOR_2, cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_COLOR_8)
    step = next(step for step in range(4) if header.pixels <= MAX_PIXELS * 4**step)
    return reduced[step]


def _on_white(image: NDArray[Any] | None) -> Image | None:
    """Convert BGRA (or BGR or grey, where there is no alpha after all) of 8 or 16 bits to RGB on white."""
    if image is None:
        return None
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.ndim == 2:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), np.uint8)
    rgb = np.asarray(cv2.cvtColor(image[:, :, :3], cv2.COLOR_BGR2RGB), np.uint8)
    if image.shape[2] == 3:
        return rgb
    white = np.full_like(rgb, 255)
    opacity = cv2.merge([image[:, :, 3]] * 3)
    return cv2.add(cv2.multiply(rgb, opacity, scale=1 / 255), cv2.multiply(white, 255 - opacity, scale=1 / 255)).astype(
        np.uint8
    )


def _at_most(image: Image, pixels: int) -> Image:
    height, width = image.shape[:2]
    factor = (pixels / (width * height)) ** 0.5
    if factor >= 1:
        return image
    size = max(1, int(width * factor)), max(1, int(height * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """The header of an image file: ``format`` is JPEG, PNG, WebP, BMP or TIFF, sizes are in pixels.

    ``complete``: the end marker is there; ``progressive`` is set for JPEG only.
    """

    format: str
    width: int
    height: int
    complete: bool = True
    transparent: bool = False
    progressive: bool = False

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
    )
    for magic, reader in readers:
        if data.startswith(magic):
            try:
                return reader(data)
            except (struct.error, IndexError):
                return None
    return None


def foreign_format(data: bytes) -> str | None:
    """Return the name of a common format that is not supported, or None."""
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


def _jpeg(data: bytes) -> ImageHeader | None:
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
    return ImageHeader("JPEG", size[1], size[0], data.find(b"\xff\xd9", at) >= 0, progressive=progressive)


def _png(data: bytes) -> ImageHeader:
    width, height, _, colour = struct.unpack_from(">IIBB", data, 16)
    transparent = colour in (4, 6) or b"tRNS" in data[: max(0, data.find(b"IDAT"))]
    return ImageHeader("PNG", width, height, b"IEND" in data[-64:], transparent)


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
        return ImageHeader("WebP", width, height, complete, bool(data[20] & 0x10))
    return None


def _bmp(data: bytes) -> ImageHeader:
    (size, _, _, header) = struct.unpack_from("<IIII", data, 2)
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", data, 18)
    return ImageHeader("BMP", abs(width), abs(height), len(data) >= size)


def _tiff(data: bytes) -> ImageHeader | None:
    order = "<" if data[:2] == b"II" else ">"
    (directory,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, directory)
    values: dict[int, int] = {}
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        values[tag] = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, entry + 8)[0]
    if 256 not in values or 257 not in values:
        return None
    return ImageHeader("TIFF", values[256], values[257])
