"""Films of visits, as files that every player opens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Protocol

from facesecure.camera.clips.playable import write_mp4
from facesecure.domain.errors import SourceError, UsageError
from facesecure.domain.records import Clip, StoredSighting
from facesecure.storage.store import Store

_IDENTIFIER = re.compile(r"[0-9]{8}T[0-9]*Z?(-[0-9a-f]*)?")


class Opens(Protocol):
    """Opens a file that replaces another when it is complete (``cli.files.replacing``)."""

    def __call__(self, path: Path, *, binary: bool) -> AbstractContextManager[IO[Any]]:
        """Return the file for a ``with`` block."""


def clips_of(store: Store, identifier: str) -> list[Clip]:
    """Return the films of a sighting, or the film, with that identifier or unique beginning of one, oldest first.

    Raises UsageError if there is no such sighting or film, or the sighting has no film.
    """
    if _IDENTIFIER.fullmatch(identifier):
        return [store.clips.find(identifier)]
    sighting = store.sighting(identifier)
    if found := store.clips.of(sighting):
        return found
    raise UsageError(
        f"there is no film of event {sighting.identifier[:8]}",
        "films are kept from then on: [clips] enabled = true; older ones are removed after [clips] keep_days",
    )


def write_clip(store: Store, clip: Clip, file: IO[bytes]) -> float:
    """Write a film to ``file``, which can be sought, as MP4; return its length in seconds.

    Raises SourceError if nothing of it can be played, StoreError if it cannot be read.
    """
    return write_mp4(lambda: store.clips.media(clip.identifier), file)


class ClipExport:
    """Writes the films of sightings into a folder, each once, as IDENTIFIER.mp4.

    Example::

        export = ClipExport(store, Path("films"), replacing)
        names = export.names_of(sighting)
    """

    def __init__(self, store: Store, folder: Path, opens: Opens) -> None:
        """Raise UsageError if ``folder`` cannot be made."""
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            hint = "give the name of a folder, new or not, in one that can be written"
            raise UsageError(f"cannot make the folder {folder}: {error.strerror}", hint) from error
        self._store, self._folder, self._opens = store, folder, opens
        self._written: dict[str, bool] = {}

    @property
    def count(self) -> int:
        """The number of films written."""
        return sum(self._written.values())

    def names_of(self, sighting: StoredSighting) -> list[str]:
        """Write the films of ``sighting`` that are not written yet; return the names of all its files."""
        return list(self._names(sighting))

    def _names(self, sighting: StoredSighting) -> Iterator[str]:
        for clip in self._store.clips.of(sighting):
            name = f"{clip.identifier}.mp4"
            if clip.identifier not in self._written:
                self._written[clip.identifier] = self._write(clip, self._folder / name)
            if self._written[clip.identifier]:
                yield name

    def _write(self, clip: Clip, path: Path) -> bool:
        try:
            with self._opens(path, binary=True) as file:
                write_clip(self._store, clip, file)
        except SourceError:  # nothing of it can be played
            return False
        return True
