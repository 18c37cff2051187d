"""Read photo files from phones and folders: upright, 8-bit RGB, of bounded size.

``read_photo`` checks a file's header before it decodes; ``may_be_photo`` tells which files of a folder to try.
"""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facesecure.domain import Image
from facesecure.domain.errors import ImageError
from facesecure.util.paths import expanded
from facesecure.vision.images.image_headers import ImageHeader, foreign_format, read_header

log = logging.getLogger(__name__)

MAX_PIXELS = 24_000_000
"""Larger images are reduced to this; a face in a larger one is larger than any detector needs."""
MAX_DECODED = 50_000_000
"""A format that can only be decoded whole (all but baseline JPEG) is refused above this: 150 MB of memory."""
MAX_BYTES = 256_000_000
"""Largest file that is read."""
MIN_SIDE = 12
"""Smallest width and height, pixels."""

PHOTO_SUFFIXES = frozenset(
    f".{ending}"
    for formats in ("jpg jpeg jpe jfif mpo png webp", "bmp dib tif tiff gif avif jp2 heic heif hif")
    for ending in formats.split()
)
"""Endings of photo files, in lower case. A file with another ending, or none, is known by its first bytes."""

_SUPPORTED = "save it as JPEG or PNG"
_HEIC_HINT = (
    "install pillow-heif beside facesecure, or export it as JPEG; on an iPhone: Settings > Camera > Formats > "
    "Most Compatible"
)
_TURNS = {
    2: (1, None),
    3: (-1, None),
    4: (0, None),
    5: (None, cv2.ROTATE_90_CLOCKWISE),
    6: (None, cv2.ROTATE_90_CLOCKWISE),
    7: (None, cv2.ROTATE_90_COUNTERCLOCKWISE),
    8: (None, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
"""EXIF orientation to the flip (OpenCV's code) or turn that undoes it; 5 and 7 are flipped top to bottom before."""


def read_photo(path: Path | str) -> Image:
    """Read the image in ``path`` as uint8 RGB (height, width, 3), turned upright as its EXIF data says.

    Reads JPEG, PNG, WebP, BMP, TIFF, GIF (the first image), AVIF and JPEG 2000 where OpenCV does, and HEIC where
    pillow-heif is installed. Grey, palette, CMYK and 16-bit images become 8-bit RGB; transparent ones get a white
    background. More than 24 megapixels are reduced to that; a large JPEG is already decoded smaller, in
    bounded memory. Raises ImageError, which names the file and what to do.
    """
    path = expanded(path)
    data = _read(path)
    header = _checked(path, data)
    image = _decode_heic(path, data) if header.format == "HEIC" else _decode(data, header)
    if image is None:
        raise _undecodable(path, header)
    return _at_most(image, MAX_PIXELS)


def may_be_photo(path: Path) -> bool:
    """Return whether the file ``path`` is called a photo, or begins like an image of any format."""
    if path.suffix.lower() in PHOTO_SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    return read_header(head) is not None or foreign_format(head) in ("HEIC", "AVIF", "JPEG XL", "Photoshop")


def _undecodable(path: Path, header: ImageHeader) -> ImageError:
    if header.format in ("GIF", "AVIF", "JPEG 2000"):  # not every OpenCV decodes them
        return ImageError(f"{path} is {header.format} that cannot be read here", _SUPPORTED)
    return ImageError(f"{path} is damaged and cannot be decoded", "copy it again, or use another image")


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
            _HEIC_HINT,
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
        whole = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if header.transparent else None
        if whole is not None and whole.dtype in (np.uint8, np.uint16):
            image: Image | None = _on_white(whole, header)
        else:
            image = _rgb(cv2.imdecode(encoded, _flags(header) | cv2.IMREAD_IGNORE_ORIENTATION))
    except cv2.error as error:
        log.debug("OpenCV refuses a %s: %s", header.format, error)
        return None
    finally:
        cv2.utils.logging.setLogLevel(level)
    return None if image is None else _upright(image, header.orientation)


def _rgb(image: NDArray[Any] | None) -> Image | None:
    return None if image is None else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def _upright(image: Image, orientation: int) -> Image:
    """Undo the EXIF ``orientation``, by one rule for all formats: OpenCV does it for some, and not with alpha."""
    flip, turn = _TURNS.get(orientation, (None, None))
    if orientation in (5, 7):
        flip = 0
    if flip is not None:
        image = np.asarray(cv2.flip(image, flip), np.uint8)
    return image if turn is None else np.asarray(cv2.rotate(image, turn), np.uint8)


def _decode_heic(path: Path, data: bytes) -> Image | None:
    """Decode HEIC with pillow-heif, which turns it upright itself. Raises ImageError where that is missing."""
    try:
        import pillow_heif
    except ImportError:
        raise ImageError(f"{path} is a HEIC image, which cannot be read here", _HEIC_HINT) from None
    try:
        opened = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
        pixels = np.asarray(opened)
    except (OSError, ValueError, RuntimeError, SyntaxError, EOFError) as error:
        log.debug("pillow-heif refuses %s: %s", path, error)
        return None
    if pixels.ndim == 2:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    code = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
    return _on_white(cv2.cvtColor(pixels, code), ImageHeader("HEIC", *pixels.shape[1::-1]))


def _flags(header: ImageHeader) -> int:
    if not _shrinks_while_decoding(header):
        return cv2.IMREAD_COLOR
    reduced = (cv2.IMREAD_COLOR, cv2.IMREAD_REDUCED_COLOR_2, cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_COLOR_8)
    step = next(step for step in range(4) if header.pixels <= MAX_PIXELS * 4**step)
    return reduced[step]


def _on_white(image: NDArray[Any], header: ImageHeader) -> Image:
    """Convert BGRA (or BGR or grey, where there is no alpha after all) of 8 or more bits to RGB on white."""
    multiplied = image.itemsize * 8 in header.premultiplied
    if image.dtype == np.uint16:
        image = (image >> header.bits - 8).astype(np.uint8)
    if image.ndim == 2:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), np.uint8)
    rgb = np.asarray(cv2.cvtColor(image[:, :, :3], cv2.COLOR_BGR2RGB), np.uint8)
    if image.shape[2] == 3:
        return rgb
    white = np.full_like(rgb, 255)
    opacity = cv2.merge([image[:, :, 3]] * 3)
    coloured = rgb if multiplied else cv2.multiply(rgb, opacity, scale=1 / 255)
    return cv2.add(coloured, cv2.multiply(white, 255 - opacity, scale=1 / 255)).astype(np.uint8)


def _at_most(image: Image, pixels: int) -> Image:
    height, width = image.shape[:2]
    factor = (pixels / (width * height)) ** 0.5
    if factor >= 1:
        return image
    size = max(1, int(width * factor)), max(1, int(height * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
