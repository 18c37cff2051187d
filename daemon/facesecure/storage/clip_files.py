"""Films as encrypted files that can be appended to: whatever stops the writing, what was written whole can be read.

A file is a head, and chunks. The head is 16 bytes of name and version, and two places for the film's own key: 32 random
bytes, encrypted as every value is (``encryption.FieldCipher``) and bound to the film's identifier. Two, so that a
rotation of the key can put the film's key beside the old one, and either fits.

A chunk is its length (4 bytes, big endian), its kind (1) and its content under AES-256-GCM (NIST SP 800-38D) with the
film's key. Its nonce is its number, which is never used twice with one key; identifier, kind and number are
authenticated: a chunk that was changed, left out, or moved within a film or to another is not read. The first
describes the film, the last says that it is whole.
"""

from __future__ import annotations

import json
import logging
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from facesecure.domain.errors import StoreError
from facesecure.storage.encryption import FieldCipher
from facesecure.util.files import create_file, open_own, owned_like

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"facesecure-clip1"
_COLUMN = "clips.key"
_KEY = 32
_PLACE = 69
"""Bytes of an encrypted key: version, identifier of the key, nonce, key and tag."""
HEAD = len(MAGIC) + 2 * _PLACE
_CHUNK = struct.Struct(">IB")
_LARGEST = 1 << 24
_SEALED_AT = 1 << 18
"""Bytes that are sealed as one chunk at the latest."""
ABOUT, MEDIA, END = 0, 1, 2

_log = logging.getLogger(__name__)


class ClipRemovedError(StoreError):
    """The film was removed while it was being written: a person in it was."""


class ClipWriter:
    """Writes one film. ``write`` collects, ``flush`` puts on the disk what was collected.

    Example::

        with ClipWriter(path, identifier, cipher, {"camera": "front door"}) as film:
            film.write(data)
            film.flush()
            film.finish({"seconds": 12.5})
    """

    def __init__(self, path: Path, identifier: str, cipher: FieldCipher, about: dict[str, Any]) -> None:
        """Create the file, with ``about`` as its first chunk. Raises OSError and leaves no file behind."""
        self.path, self.identifier = path, identifier
        self._key = os.urandom(_KEY)
        self._aes = _aes(self._key)
        self._number = self._size = 0
        self._collected = bytearray()
        self._file = create_file(path)
        try:
            owned_like(path, path.parent)
            self._append(MAGIC + _wrapped(self._key, identifier, cipher) + bytes(_PLACE))
            self._seal(ABOUT, json.dumps(about).encode())
        except BaseException:
            self.discard()
            raise

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self._size

    def write(self, data: bytes) -> None:
        """Add ``data`` to the film. Raises OSError or ClipRemovedError, as ``flush``."""
        self._collected += data
        if len(self._collected) >= _SEALED_AT:
            self.flush()

    def flush(self) -> None:
        """Write what was collected. Raises OSError, ClipRemovedError if the file was removed."""
        if os.fstat(self._file).st_nlink == 0:
            raise ClipRemovedError("this film was removed", "the next visit is filmed again")
        if self._collected:
            self._seal(MEDIA, bytes(self._collected))
            self._collected.clear()

    def finish(self, about: dict[str, Any], cipher: FieldCipher) -> None:
        """Write the rest, and ``about`` as the last chunk; flush to the disk. Raises as ``flush``.

        ``cipher`` is the current one: the key may have been replaced meanwhile.
        """
        self.flush()
        self._seal(END, json.dumps(about).encode())
        self.wrap(cipher)
        os.fdatasync(self._file)

    def wrap(self, cipher: FieldCipher) -> None:
        """Make the film readable with the key of ``cipher``, if it is not."""
        _put_key(self._file, self._key, self.identifier, cipher)

    def discard(self) -> None:
        """Remove the film."""
        with suppress(FileNotFoundError):
            self.path.unlink()
        self.close()

    def close(self) -> None:
        """Release the file; what was collected and not flushed is lost."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def __enter__(self) -> ClipWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _seal(self, kind: int, plain: bytes) -> None:
        sealed = self._aes.encrypt(_nonce(self._number), plain, _bound(self.identifier, kind, self._number))
        self._append(_CHUNK.pack(len(sealed), kind) + sealed)
        self._number += 1

    def _append(self, data: bytes) -> None:
        """Write all of ``data``; on an error, as on a full disk, the file ends with its last whole chunk again."""
        done = 0
        try:
            while done < len(data):
                done += os.pwrite(self._file, data[done:], self._size + done)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)


@dataclass(frozen=True, slots=True)
class ClipAbout:
    """What a film says of itself. ``seconds`` is its length, None if it was never finished."""

    camera: str
    began: datetime
    seconds: float | None = None


class ClipReader:
    """Reads one film. Raises StoreError if it is none, or its key is not here.

    Example::

        for piece in ClipReader(path, identifier, cipher).media():
            file.write(piece)
    """

    def __init__(self, path: Path, identifier: str, cipher: FieldCipher) -> None:
        self._path, self._identifier = path, identifier
        try:
            with self._opened() as file:
                self._aes = _aes(_key_of(file.read(HEAD), identifier, cipher))
        except (OSError, ValueError) as error:
            raise StoreError(
                f"the film {identifier} cannot be read: {error}", "facesecure doctor checks the key"
            ) from None

    def about(self) -> ClipAbout:
        """Return what the film says of itself. Raises StoreError if it was damaged."""
        first: dict[str, Any] = {}
        last: dict[str, Any] = {}
        with self._opened() as file:
            for number, kind, place, size in _chunks(file):
                if kind != MEDIA:
                    file.seek(place)
                    found = self._plain(file.read(size), kind, number)
                    first, last = (
                        (json.loads(found or b"{}"), last) if kind == ABOUT else (first, json.loads(found or b"{}"))
                    )
                    file.seek(place + size)
        try:
            seconds = float(last["seconds"]) if "seconds" in last else None
            return ClipAbout(str(first["camera"]), datetime.fromisoformat(first["began"]), seconds)
        except (KeyError, ValueError, TypeError):
            raise StoreError(f"the film {self._identifier} is damaged", "remove its file") from None

    def media(self) -> Iterator[bytes]:
        """Yield the film's bytes: a fragmented MP4. It ends where the film is damaged, or was cut off."""
        with self._opened() as file:
            for number, kind, place, size in _chunks(file):
                file.seek(place)
                plain = self._plain(file.read(size), kind, number)
                if plain is None:
                    _log.warning("the film %s is damaged and ends early", self._identifier)
                    return
                if kind == MEDIA:
                    yield plain

    def _plain(self, sealed: bytes, kind: int, number: int) -> bytes | None:
        from cryptography.exceptions import InvalidTag

        try:
            return self._aes.decrypt(_nonce(number), sealed, _bound(self._identifier, kind, number))
        except InvalidTag:
            return None

    def _opened(self) -> IO[bytes]:
        return os.fdopen(open_own(self._path, os.O_RDONLY), "rb")


def rewrap(path: Path, identifier: str, old: FieldCipher, new: FieldCipher) -> None:
    """Make a film readable with the key of ``new`` too. Raises OSError; ValueError if ``old`` does not read it."""
    descriptor = open_own(path, os.O_RDWR)
    try:
        head = os.pread(descriptor, HEAD, 0)
        _put_key(descriptor, _key_of(head, identifier, old), identifier, new, beside=old)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def forget_other_keys(path: Path, cipher: FieldCipher) -> None:
    """Leave a film that the key of ``cipher`` reads readable with that key only. Raises OSError."""
    descriptor = open_own(path, os.O_RDWR)
    try:
        places = _places(os.pread(descriptor, HEAD, 0))
        if any(cipher.made(place) for place in places):
            for number, place in enumerate(places):
                if not cipher.made(place):
                    os.pwrite(descriptor, bytes(_PLACE), len(MAGIC) + number * _PLACE)
    finally:
        os.close(descriptor)


def _put_key(
    descriptor: int, key: bytes, identifier: str, cipher: FieldCipher, beside: FieldCipher | None = None
) -> None:
    """Write the film's key, for ``cipher``, into a place that is not that of ``beside``, unless it is there."""
    places = _places(os.pread(descriptor, HEAD, 0))
    if any(cipher.made(place) for place in places):
        return
    spare = 0 if beside is not None and beside.made(places[1]) else 1
    os.pwrite(descriptor, _wrapped(key, identifier, cipher), len(MAGIC) + spare * _PLACE)


def _key_of(head: bytes, identifier: str, cipher: FieldCipher) -> bytes:
    """Return the film's key from its ``head``. Raises ValueError."""
    if len(head) < HEAD or not head.startswith(MAGIC):
        raise ValueError("it is not a film, or its beginning is missing")
    place = next((place for place in _places(head) if cipher.made(place)), None)
    if place is None:
        raise ValueError("it is encrypted with another key")
    return cipher.decrypt(place, _COLUMN, f"clip {identifier}")


def _places(head: bytes) -> tuple[bytes, bytes]:
    rest = head[len(MAGIC) :]
    return rest[:_PLACE], rest[_PLACE : 2 * _PLACE]


def _wrapped(key: bytes, identifier: str, cipher: FieldCipher) -> bytes:
    return cipher.encrypt(key, _COLUMN, f"clip {identifier}")


def _chunks(file: IO[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """Yield (number, kind, place, size) of each whole chunk; the file may be read in between."""
    end, place, number = os.fstat(file.fileno()).st_size, HEAD, 0
    while place + _CHUNK.size <= end:
        file.seek(place)
        size, kind = _CHUNK.unpack(file.read(_CHUNK.size))
        place += _CHUNK.size
        if size > _LARGEST or place + size > end:
            return
        yield number, kind, place, size
        place, number = place + size, number + 1


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _bound(identifier: str, kind: int, number: int) -> bytes:
    return f"clip {identifier}, chunk {number} of kind {kind}".encode()


def _aes(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
