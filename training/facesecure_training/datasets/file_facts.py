"""What a file says about itself: its image's size, its length, its content; the work of ``services.bulk``."""

from __future__ import annotations

import hashlib
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from facesecure.domain.errors import FacesecureError
from facesecure.util.redaction import redact
from facesecure.vision.images.image_headers import read_header
from facesecure.vision.images.photos import MAX_BYTES
from facesecure_training.datasets.location import Location, is_remote

_HEAD = 1 << 16
"""Bytes at the start of a file that hold the image's size, except in photos with long metadata."""
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Measured:
    """The number of a file, its ``size`` as "WIDTHxHEIGHT" (None if it is no image, or empty), and its ``bytes``."""

    number: int
    size: str | None
    bytes: int


def measured(root: str, item: tuple[int, str]) -> Measured:
    """Return the facts of the file ``item``, a number and a path below ``root``. Raises FacesecureError.

    No more of it is read than a photo may have.
    """
    number, name = item
    with _opened(root, name) as file:
        header = read_header(file.read(_HEAD))
        if header is None:
            file.seek(0)
            header = read_header(file.read(MAX_BYTES))
        length = file.seek(0, 2)
    return Measured(number, None if header is None else f"{header.width}x{header.height}", length)


def digest_of(root: str, item: tuple[int, str]) -> bytes:
    """Return the SHA-256 of the file ``item``, a number and a path below ``root``. Raises FacesecureError."""
    found = hashlib.sha256()
    with _opened(root, item[1]) as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.digest()


def _opened(root: str, name: str) -> Any:
    try:
        if is_remote(root):
            place = _location(root)
            return place.files.open(place.path(name), "rb")
        return Path(root, name).open("rb")
    except FacesecureError:
        raise
    except Exception as error:  # noqa: BLE001 - a driver may raise anything
        why = redact(str(getattr(error, "strerror", None) or error))
        raise FacesecureError(
            f"{socket.gethostname()} cannot read {name} ({why})", _advice(root, name, error)
        ) from None


def _advice(root: str, name: str, error: Exception) -> str:
    if not isinstance(error, FileNotFoundError):
        return "check its permissions"
    if not is_remote(root) and Path(root, name).is_symlink():
        return "it is a link that leads nowhere: remove it, or restore the file that it leads to"
    return "run the command again if it was removed meanwhile; every worker needs the folder, at the same path"


@lru_cache(maxsize=1)
def _location(root: str) -> Location:
    return Location.at(root)
