"""Count the actions that could not be recorded in the audit log, in a file that can be written on a full disk."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from facesecure.util.files import open_own, owned_like, read_regular

LOST_NAME = "audit.lost"
_DIGITS = 8


class LostCount:
    """The number of actions that no entry mentions yet, in ``audit.lost`` of one state directory.

    The file never changes its size, so that its space is taken before the disk is full. Example::

        lost = LostCount(state_dir)
        lost.prepare()
        lost.add()
        lost.value  # 1
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._in_memory = 0
        self._lock = threading.Lock()

    @property
    def value(self) -> int:
        """The count; that of this process alone where the file cannot be read."""
        try:
            return max(self._in_memory, int(read_regular(self._folder / LOST_NAME)[:_DIGITS]))
        except (OSError, ValueError):
            return self._in_memory

    def prepare(self) -> None:
        """Create the file if it is not there. Raises OSError."""
        if not (self._folder / LOST_NAME).exists():
            self._write(self._in_memory)

    def add(self) -> None:
        """Count one more; in memory only if the file cannot be written."""
        with self._lock, suppress(OSError):
            self._in_memory = min(self.value + 1, 10**_DIGITS - 1)
            self._write(self._in_memory)

    def reset(self) -> None:
        """Begin again at zero. Raises OSError."""
        with self._lock:
            self._in_memory = 0
            self._write(0)

    def _write(self, count: int) -> None:
        path = self._folder / LOST_NAME
        descriptor = open_own(path, os.O_WRONLY | os.O_CREAT)
        try:
            owned_like(path, self._folder)
            os.pwrite(descriptor, f"{count:0{_DIGITS}d}\n".encode(), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
