"""The films of a store: begun, found and read with the current key of its database."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from facesecure.config.clips import ClipsConfig
from facesecure.domain.errors import BusyError, DiskFullError
from facesecure.domain.records import Clip, StoredSighting
from facesecure.storage.clip_files import ClipWriter
from facesecure.storage.clips import RESERVE, Clips
from facesecure.storage.database import Database
from facesecure.storage.encryption import FieldCipher, cipher_of

_READ_TIMEOUT = 0.5
_FULL_HINT = "free some space, or lower [clips] max_mb"


class KeptFilm:
    """A film that is being written (``camera.clips.recorder.Film``)."""

    def __init__(self, archive: ClipArchive, writer: ClipWriter) -> None:
        self._archive, self._writer = archive, writer

    def write(self, data: bytes) -> None:
        """Add bytes. Raises OSError, ClipRemovedError."""
        self._writer.write(data)

    def flush(self) -> None:
        """Put what was added on the disk. Raises as ``write``, and DiskFullError before nothing else can be written."""
        self._writer.flush()
        if not self._archive.has_room():
            raise DiskFullError("the disk is nearly full", _FULL_HINT)

    def finish(self, seconds: float) -> None:
        """End the film. Raises as ``write``."""
        self._writer.finish({"seconds": round(seconds, 3)}, self._archive.cipher())

    def discard(self) -> None:
        """Remove the film."""
        self._writer.discard()

    def close(self) -> None:
        """Release the file."""
        self._writer.close()


class ClipArchive:
    """Writes, finds and reads the films beside ``database``.

    Example::

        for clip in store.clips.of(sighting):
            path.write_bytes(b"".join(store.clips.media(clip.identifier)))
    """

    def __init__(self, database: Database) -> None:
        self._database, self._files = database, Clips(database.path.parent)

    def begin(self, identifier: str, camera: str, began: datetime, *, most_mb: float) -> KeptFilm:
        """Begin a film, after removing the oldest above ``most_mb``. Raises DiskFullError, OSError, StoreError."""
        if not self._files.make_room(most_mb * 1e6):
            raise DiskFullError("no film is kept: the disk is full", _FULL_HINT)
        writer = self._files.begin(identifier, camera, began, self.cipher())
        writer.wrap(self.cipher())  # the key may have been replaced between the two
        return KeptFilm(self, writer)

    def has_room(self) -> bool:
        """Return whether the disk has room for more than the database and the snapshots."""
        return self._files.free() >= RESERVE

    def of(self, sighting: StoredSighting) -> list[Clip]:
        """Return the films that show a sighting, oldest first."""
        return self._files.during(sighting.first_seen, sighting.last_seen, self.cipher(), sighting.source)

    def find(self, identifier: str) -> Clip:
        """Return a film by its identifier, or a unique beginning of it. Raises UsageError or StoreError."""
        return self._files.find(identifier, self.cipher())

    def exactly(self, identifier: str) -> Clip:
        """Return a film by its whole identifier, quickly. Raises UsageError or StoreError."""
        return self._files.exactly(identifier, self.cipher())

    def media(self, identifier: str) -> Iterable[bytes]:
        """Return the bytes of a film, by its whole identifier: a fragmented MP4. Raises StoreError."""
        return self._files.reader(identifier, self.cipher()).media()

    def size(self) -> tuple[int, int]:
        """Return how many films there are, and their bytes."""
        films = self._files.all()
        return len(films), sum(stat.st_size for _, stat in films)

    def prune(self, config: ClipsConfig | None, sightings_days: float, now: datetime) -> int:
        """Remove films that are too old, or whose sightings are, and the oldest above the limit; return how many.

        ``sightings_days`` is how long sightings are kept; 0: for ever. Without ``config`` nothing is removed.
        """
        if config is None:
            return 0
        days = [one for one in (config.keep_days, sightings_days) if one]
        return self._files.prune(timedelta(days=min(days)) if days else None, config.max_mb * 1e6, now)

    def cipher(self) -> FieldCipher:
        """Return the cipher of the current key; of the one read last, while the database cannot be read."""
        with suppress(BusyError), self._database.read(_READ_TIMEOUT) as session:
            return cipher_of(session)
        return self._database.cipher
