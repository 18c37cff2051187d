"""Writing a file so that it is there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from facesecure.cli.interrupt import removed_on_interrupt
from facesecure.errors import UsageError


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
