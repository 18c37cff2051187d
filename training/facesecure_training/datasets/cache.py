"""Decoded images cached on disk, one file each, so that later epochs need not decode them again."""

from __future__ import annotations

import hashlib
import os
import threading
import zlib
from pathlib import Path

import numpy as np

from facesecure.domain import Image

_DECODING = 2
"""How ``loading`` decodes and fits an image: another number as soon as it makes other pixels of the same file."""
_CHECK = 4
"""Bytes of the CRC-32 after the pixels: a file cut short by a power failure is not used."""


def state_of(file: Path) -> str:
    """Return a key for the pixels of ``file``; it changes with the file, and with how it is decoded.

    Raises OSError if there is no file.
    """
    state = file.stat()
    text = f"{file.absolute()} {state.st_mtime_ns} {state.st_size} {_DECODING}"
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:24]


class ImageCache:
    """Raw pixels by key in ``folder``. Safe to share between threads and processes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def get(self, key: bytes) -> bytes:
        """Return the pixels stored under ``key``; no bytes if there are none, or they are damaged."""
        try:
            content = self._path(key).read_bytes()
        except FileNotFoundError:
            return b""
        pixels, check = content[:-_CHECK], content[-_CHECK:]
        return pixels if check == _check(pixels) else b""

    def put(self, key: bytes, image: Image) -> Image:
        """Store ``image`` under ``key``, and return it."""
        path, pixels = self._path(key), np.ascontiguousarray(image).tobytes()
        path.parent.mkdir(exist_ok=True)
        scratch = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
        scratch.write_bytes(pixels + _check(pixels))
        scratch.replace(path)
        return image

    def _path(self, key: bytes) -> Path:
        name = key.decode()
        return self._folder / name[:2] / name


def _check(pixels: bytes) -> bytes:
    return zlib.crc32(pixels).to_bytes(_CHECK, "little")
