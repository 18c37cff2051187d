"""Snapshot files beside the database: snapshots/YYYY/MM/DD/IDENTIFIER.jpg, by the day (UTC) a sighting began.

A file is complete or missing: it is written under another name, flushed to the disk, then renamed.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from facesecure.util.files import make_private_folders, open_own, write_durably

FOLDER = "snapshots"
MOST_BYTES = 16_000_000
"""Of a snapshot that is read: a JPEG of the largest frame of any camera is smaller."""
_SAFE_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PATH = re.compile(rf"{FOLDER}/[0-9]{{4}}/[0-9]{{2}}/[0-9]{{2}}/{_SAFE_IDENTIFIER.pattern}\.jpg")


class Snapshots:
    """The snapshot files of one state directory. Paths are relative to it, as in the database.

    Example::

        relative = Snapshots(state_dir).write(sighting.identifier, sighting.first_seen, jpeg)
    """

    def __init__(self, state_dir: Path) -> None:
        self._root = state_dir

    def path(self, relative: str) -> Path:
        """Return the absolute path of a snapshot."""
        return self._root.absolute() / relative

    def write(self, identifier: str, when: datetime, data: bytes) -> str:
        """Write a snapshot durably and return its relative path. Raises OSError and leaves no file behind."""
        relative = f"{FOLDER}/{when.astimezone(UTC):%Y/%m/%d}/{safe_identifier(identifier)}.jpg"
        path = self._root / relative
        try:
            make_private_folders(self._root, path.parent)
            write_durably(path, data)
        except FileNotFoundError:  # another process removed the empty folder meanwhile
            make_private_folders(self._root, path.parent)
            write_durably(path, data)
        return relative

    def read(self, path: Path) -> bytes:
        """Return the content of the snapshot at the absolute ``path``.

        Raises OSError, also for a link, for what lies behind a linked folder, and for a file of more than MOST_BYTES:
        only others can have put it there, and it would be shown.
        """
        relative = path.relative_to(self._root.absolute()).as_posix()
        inside = (self._root.resolve() / relative).parent
        if not is_snapshot_path(relative) or path.parent.resolve() != inside:
            raise OSError(errno.EINVAL, "no snapshot of facesecure", str(path))
        with os.fdopen(open_own(path, os.O_RDONLY), "rb") as file:
            if os.fstat(file.fileno()).st_size > MOST_BYTES:
                raise OSError(errno.EFBIG, "too large for a snapshot", str(path))
            return file.read(MOST_BYTES)

    def remove(self, relative: str) -> int:
        """Delete a snapshot if it exists; return the bytes freed."""
        path = self._root / relative
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return 0
        return size

    def files(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield (relative path, stat) of every file under snapshots/, half-written ones too."""
        for path in sorted((self._root / FOLDER).rglob("*")):
            with suppress(FileNotFoundError):
                if path.is_file():
                    yield path.relative_to(self._root).as_posix(), path.stat()

    def remove_empty_folders(self, before: datetime) -> None:
        """Remove empty folders of days, months and years that have not changed since ``before``."""
        folders = [path for path in (self._root / FOLDER).rglob("*") if path.is_dir()]
        for folder in sorted(folders, reverse=True):
            with suppress(OSError):  # not empty, or gone already
                if folder.stat().st_mtime < before.timestamp():
                    folder.rmdir()


def is_snapshot_path(relative: str) -> bool:
    """Return whether ``relative`` can be the path of a snapshot: snapshots/YYYY/MM/DD/IDENTIFIER.jpg, nothing else."""
    return _PATH.fullmatch(relative) is not None


def safe_identifier(identifier: str) -> str:
    """Return ``identifier`` if it is a valid file name on any system. Raises ValueError otherwise."""
    if not _SAFE_IDENTIFIER.fullmatch(identifier):
        raise ValueError(f"a sighting's identifier consists of letters, digits, '.', '_' and '-', not {identifier!r}")
    return identifier
