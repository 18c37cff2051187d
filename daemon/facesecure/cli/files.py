"""Writes a file completely or not at all, even if the command is interrupted."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, Any

from facesecure.domain.errors import UsageError
from facesecure.util import callers_files


@contextmanager
def replacing(path: Path, *, binary: bool = False) -> Iterator[IO[Any]]:
    """Open a temporary file that replaces ``path`` when the block ends, or is removed if the block fails.

    The file is readable by its owner only (0600): it holds personal data. Raises UsageError if it cannot be written.
    """
    if (files := callers_files.in_use()) is not None and str(path) in files.drafts:
        with _held(files, path, binary) as file:
            yield file
        return
    if path.is_dir():
        raise UsageError(f"{path} is a folder", "give the name of a file to write")
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", "choose an existing folder that can be written"
        ) from error
    temporary = Path(name)
    try:
        encoding = None if binary else "utf-8"
        with removed_on_interrupt(temporary), os.fdopen(descriptor, "wb" if binary else "w", encoding=encoding) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _held(files: callers_files.CallersFiles, path: Path, binary: bool) -> Iterator[IO[Any]]:
    """Open the draft of ``path`` that root made; the process that stayed root puts it in its place."""
    encoding = None if binary else "utf-8"
    with os.fdopen(os.dup(files.drafts[str(path)].descriptor), "wb" if binary else "w", encoding=encoding) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    files.finish(path)


INTERRUPTED = 130
_SHOW_CURSOR = b"\x1b[?25h"  # DECTCEM; a progress bar may have hidden it

_unfinished: set[Path] = set()


def end_on_interrupt() -> None:
    """Make Ctrl-C end this process at once. Writes to a copy of stderr, which a library may have redirected."""
    stderr = os.dup(2)

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's arguments
        for path in tuple(_unfinished):
            path.unlink(missing_ok=True)
        os.write(stderr, (_SHOW_CURSOR if os.isatty(stderr) else b"") + b"interrupted\n")
        os._exit(INTERRUPTED)

    signal.signal(signal.SIGINT, end)


@contextmanager
def removed_on_interrupt(path: Path) -> Iterator[None]:
    """Remove ``path`` if the process is interrupted during the block."""
    _unfinished.add(path)
    try:
        yield
    finally:
        _unfinished.discard(path)


def end_interrupted() -> None:
    """End this process with exit code 130, without Python's shutdown, which may turn it into a signal."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(INTERRUPTED)
