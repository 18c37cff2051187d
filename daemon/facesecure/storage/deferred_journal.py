"""The file of writes that the database could not take: facesecure.db-deferred, beside it, until it has taken them.

    12 bytes   magic
    then for each write: length (u32) and CRC-32 (u32) of what follows, little-endian, and the write, encrypted

The file is only appended to. An append is on the disk when it returns; one that was cut off by a kill or a power cut is
removed at the next start. Each write is encrypted with the database's key and bound to its place in the file. Whoever
has the file open holds a lock (flock) on it: the daemon, or a command that completes its work after a kill.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from facesecure.domain.errors import BusyError, DiskFullError, StoreError
from facesecure.storage.disk_space import FULL
from facesecure.storage.encryption import DEFERRED_WRITE, FieldCipher
from facesecure.util.files import open_own, owned_like, sync_folder

SUFFIX = "-deferred"
_MAGIC = b"fs-deferred1"
_HEAD = struct.Struct("<II")
_LARGEST = 16_000_000
"""Bytes of a write at most; a sighting takes some 130,000. A longer one in the file is damage, or somebody's bomb."""
_OWNED_WITHIN = 0.5
"""Seconds to wait for another process that is just removing the file."""
_RESUMED_WITHIN = 10.0
"""The same at the start, when a command may be making what was left."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a write is in the file: the offset of its head, and the bytes of its encrypted text."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.offset + _HEAD.size + self.length


def journal_of(database: Path) -> Path:
    """Return the path of the journal of ``database``."""
    return database.with_name(database.name + SUFFIX)


def damaged_journal(database: Path) -> Path:
    """Return the path at which a journal of ``database`` that cannot be read is set aside."""
    return database.with_name(f"{database.name}{SUFFIX}.damaged")


class Journal:
    """The file of one database. Not thread-safe, except that ``read`` may be called beside ``append``.

    Example::

        journal = Journal(journal_of(database.path), lambda: database.cipher)
        place = journal.append(b"...")
        journal.read(place)
        journal.clear()
    """

    def __init__(self, path: Path, cipher: Callable[[], FieldCipher]) -> None:
        """Use ``path``; no file is made before the first ``append``. ``cipher`` returns the one in use."""
        self.path, self._cipher = path, cipher
        self._file: int | None = None
        self._end = 0
        self._own_cipher: FieldCipher | None = None
        """The cipher of the writes in the file: the database's key may be rotated while they wait."""

    @property
    def size(self) -> int:
        """The bytes in the file."""
        return self._end

    def resume(self) -> list[Place]:
        """Return the writes that an earlier process left, in order; empty if there is no file.

        A file that is not a journal is set aside. Raises BusyError if another process uses the file, StoreError if it
        cannot be read.
        """
        if not os.path.lexists(self.path):
            return []
        with self._translated():
            if self.path.is_symlink() or not self.path.is_file():
                self._set_aside()
                return []
            self._open(_RESUMED_WITHIN)
            places = list(self._complete())
        if places:
            self._end = places[-1].end
        else:
            self.clear()
        return places

    def append(self, plain: bytes) -> Place:
        """Write ``plain`` to the disk and return its place. Raises StoreError, and leaves the file as it was."""
        with self._translated():
            self._open()
            data = self._cipher_in_use().encrypt(plain, DEFERRED_WRITE, str(self._end))
            place = Place(self._end, len(data))
            if place.length > _LARGEST:
                raise StoreError(f"a write of {place.length} bytes cannot be kept for later", "please report it")
            try:
                _write_all(self._descriptor, _HEAD.pack(len(data), zlib.crc32(data)) + data, place.offset)
                os.fdatasync(self._descriptor)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(self._descriptor, place.offset)
                raise
        self._end = place.end
        return place

    def read(self, place: Place) -> bytes:
        """Return what was appended at ``place``. Raises StoreError if the disk fails, ValueError if it is damaged."""
        with self._translated():
            data = os.pread(self._descriptor, place.length, place.offset + _HEAD.size)
        return self._cipher_in_use().decrypt(data, DEFERRED_WRITE, str(place.offset))

    def clear(self) -> None:
        """Remove the file: the database has everything."""
        with self._translated():
            self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Close the file, and leave it on the disk."""
        if self._file is not None:
            os.close(self._file)
        self._file, self._end, self._own_cipher = None, 0, None

    def _cipher_in_use(self) -> FieldCipher:
        if self._own_cipher is None:
            self._own_cipher = self._cipher()
        return self._own_cipher

    @property
    def _descriptor(self) -> int:
        assert self._file is not None, "the journal is not open"
        return self._file

    def _open(self, within: float = _OWNED_WITHIN) -> None:
        if self._file is not None:
            return
        deadline = time.monotonic() + within
        while (file := _opened(self.path)) is None:
            if time.monotonic() > deadline:
                raise BusyError(f"cannot use {self.path}: another process is using it", "try again in a moment")
            time.sleep(0.01)
        self._file, self._end = file, os.fstat(file).st_size
        if self._end < len(_MAGIC):
            _write_all(file, _MAGIC, 0)
            owned_like(self.path, self.path.parent)
            sync_folder(self.path.parent)
            self._end = len(_MAGIC)

    def _complete(self) -> Iterator[Place]:
        """Yield the places up to the first write that is cut off or damaged."""
        if os.pread(self._descriptor, len(_MAGIC), 0) != _MAGIC:
            self._set_aside()
            return
        offset = len(_MAGIC)
        while len(head := os.pread(self._descriptor, _HEAD.size, offset)) == _HEAD.size:
            length, check = _HEAD.unpack(head)
            if length > _LARGEST:
                return
            data = os.pread(self._descriptor, length, offset + _HEAD.size)
            if len(data) != length or zlib.crc32(data) != check:
                return
            yield Place(offset, length)
            offset += _HEAD.size + length

    def _set_aside(self) -> None:
        aside = self.path.with_name(f"{self.path.name}.damaged")
        self.path.replace(aside)
        _log.critical("%s is damaged and cannot be read; it is kept as %s", self.path, aside)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raising = DiskFullError if error.errno in FULL else StoreError
            hint = "check the disk and its free space"
            raise raising(f"cannot use {self.path}: {error.strerror}", hint) from error


def _opened(path: Path) -> int | None:
    """Return a descriptor of ``path``, locked, or None if another process has it or has just removed it."""
    file = open_own(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(file).st_ino:
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(file)
        raise
    os.close(file)
    return None


def _write_all(file: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(file, data, offset)
        if not written:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        data, offset = data[written:], offset + written
