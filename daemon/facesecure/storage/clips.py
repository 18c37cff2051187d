"""The films beside the database: clips/YYYY/MM/DD/IDENTIFIER.clip, by the time (UTC) they begin.

They need no row: a film's identifier begins with its time, the rest it says of itself (``clip_files``), and it belongs
to the sightings of its camera during that time. So a film outlives a database that had to be restored, and a database
that is locked delays no film.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from facesecure.domain.errors import StoreError, UsageError
from facesecure.domain.records import Clip
from facesecure.storage.clip_files import ClipReader, ClipWriter, forget_other_keys, rewrap
from facesecure.storage.encryption import FieldCipher
from facesecure.util.files import make_private_folders

FOLDER = "clips"
LONGEST = timedelta(hours=1, minutes=2)
"""Longer than any film (``config.clips``)."""
RESERVE = 32_000_000
"""Bytes of the disk that films leave free, for the database and the snapshots."""
_FOLLOWS = timedelta(seconds=3)
"""Time after a film within which the next one goes on with the same visit."""
_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}")
_FORMAT = "%Y%m%dT%H%M%SZ"

_log = logging.getLogger(__name__)


class Clips:
    """The films of one state directory. Paths are relative to it.

    Example::

        clips = Clips(state_dir)
        for clip in clips.during(sighting.first_seen, sighting.last_seen, cipher, sighting.source):
            ...
    """

    def __init__(self, state_dir: Path) -> None:
        self._root = state_dir

    def begin(self, identifier: str, camera: str, began: datetime, cipher: FieldCipher) -> ClipWriter:
        """Begin a film of ``camera``. Raises OSError; ValueError for an identifier that films do not have."""
        began = began.astimezone(UTC)
        if not _NAME.fullmatch(identifier):
            raise ValueError(f"a film's identifier is its time and eight digits, not {identifier!r}")
        path = self._root / _path_of(identifier)
        about = {"camera": camera, "began": began.isoformat()}
        try:
            make_private_folders(self._root, path.parent)
            return ClipWriter(path, identifier, cipher, about)
        except FileNotFoundError:  # another process removed the empty folder meanwhile
            make_private_folders(self._root, path.parent)
            return ClipWriter(path, identifier, cipher, about)

    def all(self) -> list[tuple[str, os.stat_result]]:
        """Return (identifier, stat) of every film, oldest first."""
        found = []
        for path in (self._root / FOLDER).rglob("*.clip"):
            with suppress(OSError):
                if _NAME.fullmatch(path.stem) and path == self._root / _path_of(path.stem):
                    found.append((path.stem, path.stat(follow_symlinks=False)))
        return sorted(found)

    def paths(self) -> Iterator[Path]:
        """Yield the absolute path of every film, oldest first."""
        yield from (self._root / _path_of(identifier) for identifier, _ in self.all())

    def overlapping(self, times: Iterable[tuple[datetime, datetime]]) -> list[str]:
        """Return the paths of the films, of any camera, that were being taken during one of ``times``.

        With them those that follow without a gap: of a visit that goes on its end is not known yet. Needs no key, so
        that a film that cannot be read is found too. A film ends when its file last changed.
        """
        spans, found = list(times), list[str]()
        for identifier, stat in self.all() if spans else []:
            began, ended = _began(identifier), _ended(identifier, stat)
            if any(began <= last and first <= ended for first, last in spans):
                found.append(_path_of(identifier))
                spans.append((began, ended + _FOLLOWS))
        return found

    def during(self, first: datetime, last: datetime, cipher: FieldCipher, camera: str) -> list[Clip]:
        """Return the readable films of ``camera`` that show something of ``first`` to ``last``, oldest first."""
        near = self._begun_between(first - LONGEST, last)
        films = [film for one in near if (film := self._film(one, cipher)) is not None and film.camera == camera]
        return [film for film in films if film.began <= last and first <= film.ended]

    def find(self, identifier: str, cipher: FieldCipher) -> Clip:
        """Return the film with that identifier, or unique beginning of one. Raises UsageError, StoreError."""
        found = [one for one, _ in self.all() if one.startswith(identifier)] if identifier else []
        if len(found) != 1:
            many = f"{len(found)} films begin with {identifier!r}" if found else f"there is no film {identifier!r}"
            raise UsageError(many, "facesecure events show ID names the film of a sighting")
        return self._described(found[0], cipher)

    def exactly(self, identifier: str, cipher: FieldCipher) -> Clip:
        """Return the film with that whole identifier, without looking at the others. Raises as ``find``."""
        if not _NAME.fullmatch(identifier) or not (self._root / _path_of(identifier)).is_file():
            raise UsageError(
                f"there is no film {identifier!r}", "facesecure events show ID names the film of a sighting"
            )
        return self._described(identifier, cipher)

    def reader(self, identifier: str, cipher: FieldCipher) -> ClipReader:
        """Return what reads a film. Raises StoreError."""
        return ClipReader(self._root / _path_of(identifier), identifier, cipher)

    def remove(self, identifier: str) -> int:
        """Remove a film if it exists; return the bytes freed."""
        path = self._root / _path_of(identifier)
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return 0
        return size

    def prune(self, keep: timedelta | None, most_bytes: float, now: datetime) -> int:
        """Remove the films that began longer than ``keep`` ago (None: none), and the oldest above ``most_bytes``.

        Return how many.
        """
        films = self.all()
        excess = sum(stat.st_size for _, stat in films) - most_bytes
        count = 0
        for identifier, stat in films:
            if excess <= 0 and (keep is None or _ended(identifier, stat) >= now - keep):
                continue
            self.remove(identifier)
            excess, count = excess - stat.st_size, count + 1
        self._remove_empty_folders()
        return count

    def make_room(self, most_bytes: float) -> bool:
        """Remove the oldest films, so that another fits. Return whether the disk has space for one."""
        self.prune(None, most_bytes, datetime.now(UTC))
        for identifier, _ in self.all():
            if self.free() >= RESERVE:
                break
            self.remove(identifier)
        return self.free() >= RESERVE

    def rewrap(self, old: FieldCipher, new: FieldCipher) -> None:
        """Make every film readable with a new key beside the old one; one that cannot be is left as it is, and told."""
        for identifier, _ in self.all():
            try:
                rewrap(self._root / _path_of(identifier), identifier, old, new)
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                _log.error("the film %s stays as it is: %s", identifier, error)

    def forget_old_keys(self, current: FieldCipher) -> None:
        """Leave every film that the ``current`` key reads readable with that key only."""
        for identifier, _ in self.all():
            with suppress(OSError):
                forget_other_keys(self._root / _path_of(identifier), current)

    def free(self) -> int:
        """Return the bytes that are free on the disk. Raises OSError."""
        disk = os.statvfs(self._root)
        return disk.f_bavail * disk.f_frsize

    def _begun_between(self, first: datetime, last: datetime) -> list[str]:
        """Return the identifiers of the films that began then; their folders are days."""
        first, last = first.astimezone(UTC), last.astimezone(UTC)
        days = [first.date() + timedelta(days=n) for n in range((last.date() - first.date()).days + 1)]
        folders = (self._root / FOLDER / f"{day:%Y/%m/%d}" for day in days)
        names = (path.stem for folder in folders if folder.is_dir() for path in folder.glob("*.clip"))
        floor = first.replace(microsecond=0)
        return sorted(name for name in names if _NAME.fullmatch(name) and floor <= _began(name) <= last)

    def _film(self, identifier: str, cipher: FieldCipher) -> Clip | None:
        try:
            return self._described(identifier, cipher)
        except StoreError as error:
            _log.debug("%s", error)
            return None

    def _described(self, identifier: str, cipher: FieldCipher) -> Clip:
        path = self._root / _path_of(identifier)
        about = self.reader(identifier, cipher).about()
        stat = path.stat()
        ended = _ended(identifier, stat) if about.seconds is None else about.began + timedelta(seconds=about.seconds)
        return Clip(
            identifier, about.camera, about.began, max(ended, about.began), stat.st_size, about.seconds is not None
        )

    def _remove_empty_folders(self) -> None:
        before = datetime.now(UTC).timestamp() - 3600
        for folder in sorted((path for path in (self._root / FOLDER).rglob("*") if path.is_dir()), reverse=True):
            with suppress(OSError):  # not empty, or gone already
                if folder.stat().st_mtime < before:
                    folder.rmdir()


def clips_of(session: Session) -> Clips:
    """Return the films beside the database of ``session``."""
    bind = session.get_bind()
    url = bind.url if isinstance(bind, Engine) else bind.engine.url
    return Clips(Path(str(url.database)).parent)


def _path_of(identifier: str) -> str:
    return f"{FOLDER}/{identifier[:4]}/{identifier[4:6]}/{identifier[6:8]}/{identifier}.clip"


def _began(identifier: str) -> datetime:
    try:
        return datetime.strptime(identifier[:16], _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _ended(identifier: str, stat: os.stat_result) -> datetime:
    """Return when the film's file last changed, within what a film may last."""
    began = _began(identifier)
    if began == datetime.min.replace(tzinfo=UTC):
        return began
    return max(began, min(datetime.fromtimestamp(stat.st_mtime, UTC), began + LONGEST))
