"""The film of an alert's visit, for plugins: decrypted into memory, for as long as it is being sent."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from facesecure.camera.clips.playable import write_mp4
from facesecure.domain import Alert
from facesecure.domain.errors import FacesecureError

_log = logging.getLogger(__name__)


class Archive(Protocol):
    """The part of ``storage.clip_archive.ClipArchive`` that is used here."""

    def media(self, identifier: str) -> Iterable[bytes]:
        """Return the bytes of a film, a fragmented MP4. Raises StoreError."""


class AlertClips:
    """Gives plugins the films of alerts (``alerts.plugins.api.Clips``).

    Example::

        with AlertClips(store.clips).film(alert, 8_000_000) as path:
            ...
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    @contextmanager
    def film(self, alert: Alert, most_bytes: int) -> Iterator[Path | None]:
        """Yield the path of an MP4 of at most about ``most_bytes``, which exists during the block; None without one.

        While the visit lasts that is the film so far. It is in memory only: nothing unencrypted reaches the disk.
        """
        if alert.clip is None:
            yield None
            return
        descriptor = os.memfd_create("clip.mp4", os.MFD_CLOEXEC)
        try:
            yield Path(f"/proc/self/fd/{descriptor}") if self._written(alert.clip, most_bytes, descriptor) else None
        finally:
            os.close(descriptor)

    def _written(self, clip: str, most_bytes: int, descriptor: int) -> bool:
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                write_mp4(lambda: _beginning(self._archive.media(clip), most_bytes), file)
        except (FacesecureError, OSError) as error:
            _log.debug("the film %s is not sent: %s", clip, error)
            return False
        return True


def _beginning(pieces: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    """Yield ``pieces`` as long as they are no more than ``most_bytes`` in all."""
    left = most_bytes
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            return
        yield piece
