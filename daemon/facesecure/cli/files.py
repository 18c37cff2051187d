"""Writing a file so that it is there whole or not at all."""

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


@contextmanager
def replacing(path: Path, *, binary: bool = False) -> Iterator[IO[Any]]:
    """A file that takes ``path``'s place when the block ends well, and leaves nothing behind when it does not.

    Readable by its owner only (0600): it is about people. Raises UsageError where it cannot be written.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder", "name a file to write")
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", "choose a folder that is there and can be written"
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


INTERRUPTED = 130
_SHOW_CURSOR = b"\x1b[?25h"  # DECTCEM; a progress bar may have hidden it

_unfinished: set[Path] = set()


def end_on_interrupt() -> None:
    """From here on Ctrl-C ends this process at once. Keeps its own stderr: a library may be diverting the other."""
    stderr = os.dup(2)

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's arguments
        for path in tuple(_unfinished):
            path.unlink(missing_ok=True)
        os.write(stderr, (_SHOW_CURSOR if os.isatty(stderr) else b"") + b"interrupted\n")
        os._exit(INTERRUPTED)

    signal.signal(signal.SIGINT, end)


@contextmanager
def removed_on_interrupt(path: Path) -> Iterator[None]:
    """``path`` is half a file while this lasts."""
    _unfinished.add(path)
    try:
        yield
    finally:
        _unfinished.discard(path)


def end_interrupted() -> None:
    """End this process with 130, after everything was torn down. Python's own way out may turn it into a signal."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(INTERRUPTED)
