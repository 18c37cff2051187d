"""Says which file could not be written, and what to look at: a full disk alone tells neither."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facesecure.domain.errors import FacesecureError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise FacesecureError, with the name ``path``, if the system refuses to write inside the ``with`` block."""
    try:
        yield
    except OSError as error:
        raise FacesecureError(
            f"{path} cannot be written ({error.strerror or error})", "is the disk full, or the folder protected?"
        ) from error
