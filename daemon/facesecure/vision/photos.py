"""Photographs from people's phones and folders, as the daemon wants them: upright, 8 bits, RGB, of sane size."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.errors import ImageError
from facesecure.vision.photo_header import Header, foreign_format, read_header

log = logging.getLogger(__name__)

MAX_PIXELS = 24_000_000
"""Pictures are brought down to this; a face in a larger one is larger than any detector needs."""
MAX_DECODED = 50_000_000
"""A format that can only be decoded whole (all but baseline JPEG) is refused above this: 150 MB of memory."""
MAX_BYTES = 256_000_000
MIN_SIDE = 12

_SUPPORTED = "save it as JPEG or PNG"


def read_photo(path: Path | str) -> Image:
    """The picture in ``path``, uint8 RGB (height, width, 3), turned upright as its EXIF data says.

    Reads JPEG, PNG, WebP, BMP and TIFF; grey, palette, CMYK and 16-bit ones become 8-bit RGB, and what is
    transparent is laid on white. More than 24 megapixels are brought down below that; a large JPEG is already
    decoded smaller, in bounded memory. Raises ImageError, which names the file and says what to do.
    """
    path = Path(path).expanduser()
    data = _read(path)
    header = _checked(path, data)
    picture = _decode(data, header)
    if picture is None:
        raise ImageError(f"{path} is damaged and cannot be decoded", "copy it again, or use another picture")
    return _at_most(picture, MAX_PIXELS)


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise ImageError(
            f"{path} is a folder, not a picture",
            "name the pictures in it, or give the folder where a folder is asked for",
        )
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(f"{path} has {path.stat().st_size // 1_000_000} MB, too many for a picture", _SUPPORTED)
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError(
            f"there is no picture {path}", "check the path; a relative one starts where the command is run"
        ) from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read ({error.strerror})", "check its permissions") from None


def _checked(path: Path, data: bytes) -> Header:
    """The header, once nothing in it stands against decoding."""
    header = read_header(data)
    if header is None:
        raise _not_a_picture(path, data)
    if not header.complete:
        raise ImageError(
            f"{path} is cut short: the end of the picture is missing", "copy it again from where it came from"
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


def _not_a_picture(path: Path, data: bytes) -> ImageError:
    if not data:
        return ImageError(f"{path} is empty", "copy it again from where it came from")
    foreign = foreign_format(data)
    if foreign == "HEIC":
        return ImageError(
            f"{path} is a HEIC picture, which cannot be read here",
            "export it as JPEG; on an iPhone: Settings > Camera > Formats > Most Compatible",
        )
    if foreign:
        return ImageError(f"{path} is {foreign}, which cannot be read here", _SUPPORTED)
    return ImageError(f"{path} is not a picture, whatever its name says", _SUPPORTED)


def _shrinks_while_decoding(header: Header) -> bool:
    """Baseline JPEG only: a progressive one keeps all its coefficients in memory, however small it is decoded."""
    return header.format == "JPEG" and not header.progressive


def _decode(data: bytes, header: Header) -> Image | None:
    encoded = np.frombuffer(data, np.uint8)
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what it prints on stderr, the error says better
    try:
        if header.transparent:
            return _on_white(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED))
        picture = cv2.imdecode(encoded, _flags(header))
    except cv2.error as error:
        log.debug("OpenCV refuses a %s: %s", header.format, error)
        return None
    finally:
        cv2.utils.logging.setLogLevel(level)
    return None if picture is None else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _flags(header: Header) -> int:
    if not _shrinks_while_decoding(header):
        return cv2.IMREAD_COLOR
    reduced = (cv2.IMREAD_COLOR, cv2.IMREAD_REDUCED_COLOR_2, cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_COLOR_8)
    step = next(step for step in range(4) if header.pixels <= MAX_PIXELS * 4**step)
    return reduced[step]


def _on_white(picture: NDArray[Any] | None) -> Image | None:
    """BGRA (or BGR, or grey with no alpha after all) of 8 or 16 bits as RGB, what is transparent white."""
    if picture is None:
        return None
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    if picture.ndim == 2:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB), np.uint8)
    rgb = np.asarray(cv2.cvtColor(picture[:, :, :3], cv2.COLOR_BGR2RGB), np.uint8)
    if picture.shape[2] == 3:
        return rgb
    white = np.full_like(rgb, 255)
    opacity = cv2.merge([picture[:, :, 3]] * 3)
    return cv2.add(cv2.multiply(rgb, opacity, scale=1 / 255), cv2.multiply(white, 255 - opacity, scale=1 / 255)).astype(
        np.uint8
    )


def _at_most(picture: Image, pixels: int) -> Image:
    height, width = picture.shape[:2]
    factor = (pixels / (width * height)) ** 0.5
    if factor >= 1:
        return picture
    size = max(1, int(width * factor)), max(1, int(height * factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
