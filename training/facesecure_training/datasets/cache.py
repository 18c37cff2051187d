"""Decoded pictures kept on disk, one file each, so that the next epoch need not decode them again."""

from __future__ import annotations

import hashlib
import os
import threading
import zlib
from pathlib import Path

import numpy as np

from facesecure.domain import Image

_CHECK = 4
"""Bytes of CRC-32 behind the pixels: what a power cut left half written is not taken for a picture."""


def state_of(file: Path) -> str:
    """A name for ``file`` as it is now; another once it has changed. Raises OSError if it is not there."""
    state = file.stat()
    text = f"{file.absolute()} {state.st_mtime_ns} {state.st_size}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class ImageCache:
    """Raw pixels by name in ``folder``. Safe to share by threads and by processes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def get(self, key: bytes) -> bytes:
        """The pixels kept under ``key``; nothing if there are none, or they are damaged."""
        try:
            content = self._path(key).read_bytes()
        except FileNotFoundError:
            return b""
        pixels, check = content[:-_CHECK], content[-_CHECK:]
        return pixels if check == _check(pixels) else b""

    def put(self, key: bytes, image: Image) -> Image:
        """Keep ``image``, and give it back."""
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
