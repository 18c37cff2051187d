"""Read photo files from phones and folders: upright, 8-bit RGB, of bounded size.

Anybody may have made them, so a process of its own decodes them (``vision.images.decoding``): a file that makes a
decoder take all memory, hang or crash costs that file and nothing else. ``read_photo`` is for files, ``photo_of`` for
bytes; ``may_be_photo`` tells which files of a folder to try.
"""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from facesecure.domain.errors import ImageError
from facesecure.util.installing import install_extra
from facesecure.util.paths import expanded, named
from facesecure.vision.images.decoding.memory_share import half_of_memory
from facesecure.vision.images.decoding.messages import MEMORY, DecodingError, Limits
from facesecure.vision.images.decoding.process import Pixels, decoder, reads_heic
from facesecure.vision.images.headers.boxes import brand
from facesecure.vision.images.image_headers import foreign_format, read_header

if TYPE_CHECKING:
    from facesecure.domain import Image

MAX_PIXELS = 24_000_000
"""Larger images are reduced to this; a face in a larger one is larger than any detector needs."""
MAX_DECODED = 50_000_000
"""A format that can only be decoded whole (all but baseline JPEG) is refused above this."""
MAX_MEMORY = MEMORY
"""Bytes that decoding one image may take, or half of all memory; more is refused, by the header or by the kernel."""
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
_COPY_AGAIN = "copy it again from where it came from"
_HEIC_HINT = (
    f"install what reads it: {install_extra('heic')}; or export it as JPEG; on an iPhone: Settings > Camera > "
    "Formats > Most Compatible"
)
_NOT_EVERYWHERE = ("GIF", "AVIF", "JPEG 2000", "TIFF")
"""Formats that not every OpenCV decodes, or not with every compression and depth."""
_NO_PHOTOS = frozenset({"a video", "PDF", "PostScript", "SVG", "an icon"})
"""Formats that are recognised, and are no reason to call a folder one of photos."""


def read_photo(path: Path | str) -> Image:
    """Read the image in ``path`` as uint8 RGB (height, width, 3), turned upright as its EXIF data says.

    Reads JPEG, PNG, WebP, BMP, TIFF, GIF (the first image), AVIF and JPEG 2000 where OpenCV does, and HEIC where
    pillow-heif is installed. Grey, palette, CMYK and 16-bit images become 8-bit RGB; transparent ones get a white
    background. More than 24 megapixels are reduced to that; a large JPEG is already decoded smaller, in
    bounded memory. Raises ImageError, which names the file and what to do.
    """
    path = expanded(path)
    path = named(path.parent, path.name)
    if path.is_dir():
        raise ImageError(
            f"{path} is a folder, not an image",
            "name the images in it, or give the folder where a folder is asked for",
        )
    try:
        with path.open("rb", buffering=0) as file:
            return _decoded(file, str(path))
    except FileNotFoundError:
        raise ImageError(
            f"there is no image {path}", "check the path; a relative one starts where the command is run"
        ) from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read ({error.strerror})", "check its permissions") from None


def photo_of(data: bytes, name: str) -> Image:
    """Return the image in ``data``, as ``read_photo`` does of a file. ``name`` is what an ImageError calls it."""
    with os.fdopen(os.memfd_create("photo"), "w+b", buffering=0) as file:
        file.write(data)
        return _decoded(file, name)


def may_be_photo(path: Path) -> bool:
    """Return whether the file ``path`` is called a photo, or begins like an image of any format."""
    if path.suffix.lower() in PHOTO_SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    return read_header(head) is not None or (foreign_format(head) or "a video") not in _NO_PHOTOS


def _decoded(file: IO[bytes], name: str) -> Image:
    """Return the image in an open ``file``. Raises ImageError, and OSError where it cannot be read."""
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # a pipe, which a decoder cannot read from its start
        return photo_of(_received(file, name), name)
    if (size := os.fstat(file.fileno()).st_size) > MAX_BYTES:
        raise ImageError(f"{name} has {size // 1_000_000} MB, too many for an image", _SUPPORTED)
    try:
        return pixels_of(file.fileno(), Limits(MAX_PIXELS, MAX_DECODED, MIN_SIDE)).array()
    except DecodingError as error:
        raise _explained(error, name) from None


def pixels_of(file: int, limits: Limits) -> Pixels:
    """Return the pixels of an open regular ``file`` within ``limits``, without numpy; in less memory if there is less.

    Raises DecodingError; one of a HEIC image is "foreign" where nothing reads it.
    """
    heic = brand(os.pread(file, 256, 0)) == "HEIC"
    if heic and not reads_heic():
        raise DecodingError("foreign", "HEIC")
    less = replace(limits, memory=min(limits.memory, MAX_MEMORY, half_of_memory()))
    return decoder("heif" if heic else "opencv").pixels(file, less)


def _received(file: IO[bytes], name: str) -> bytes:
    """Return all that comes out of a pipe or device, within MAX_BYTES. Raises ImageError."""
    received = bytearray()
    while part := file.read(1 << 20):
        received += part
        if len(received) > MAX_BYTES:
            raise ImageError(f"{name} has more than {MAX_BYTES // 1_000_000} MB, too many for an image", _SUPPORTED)
    return bytes(received)


def _explained(error: DecodingError, name: str) -> ImageError:
    """Return the ImageError that says why the file ``name`` is refused."""
    size = f"{error.width}x{error.height}"
    match error.problem:
        case "empty":
            return ImageError(f"{name} is empty", _COPY_AGAIN)
        case "foreign" if error.format == "HEIC":
            return ImageError(f"{name} is a HEIC image, which cannot be read here", _HEIC_HINT)
        case "foreign":
            return ImageError(f"{name} is {error.format}, which cannot be read here", _SUPPORTED)
        case "not an image":
            return ImageError(f"{name} is not an image, whatever its name says", _SUPPORTED)
        case "cut short":
            return ImageError(f"{name} is cut short: the end of the image is missing", _COPY_AGAIN)
        case "too small":
            return ImageError(
                f"{name} has only {size} pixels",
                f"a face needs at least {MIN_SIDE} each way, and 112 to be recognised well",
            )
        case "too large":
            return ImageError(
                f"{name} claims {size} pixels, too many for a {error.format}",
                "scale it down, or save it as a plain JPEG",
            )
        case _:
            return _damaged(error, name)


def _damaged(error: DecodingError, name: str) -> ImageError:
    """Return the ImageError for a file whose header is right, and whose pixels are not."""
    match error.problem:
        case "faulty":
            return ImageError(f"{name} is damaged: {error.fault}", f"{_SUPPORTED} with another program")
        case "memory":
            return ImageError(f"{name} takes more memory than any photo needs", "scale it down, or use another image")
        case "slow":
            return ImageError(f"{name} takes longer than any photo needs", "use another image")
        case "crashed":
            return ImageError(f"{name} makes the decoder crash", "do not trust where it came from; use another image")
        case "not started":
            return ImageError(
                f"{name} cannot be read: the process that decodes images does not start",
                "is the memory full, or the number of processes limited?",
            )
        case _ if error.format in _NOT_EVERYWHERE:
            return ImageError(f"{name} is {error.format} that cannot be read here", _SUPPORTED)
        case _:
            return ImageError(f"{name} is damaged and cannot be decoded", "copy it again, or use another image")
