"""Films for a browser, which asks for pieces of one: made playable once, and kept in memory while it is played."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from facesecure.domain.errors import UsageError
from facesecure.domain.records import Clip
from facesecure.services.clips import write_clip
from facesecure.storage.store import Store

MOST_BYTES = 128_000_000
"""Of a film that is played, and of all that are kept: they are never on a disk unencrypted, and memory is scarce."""
KEPT_SECONDS = 60.0
"""Time that a film is kept after a piece of it was asked for."""

Name = tuple[Path, str]


@dataclass(frozen=True, slots=True)
class FilmPiece:
    """Some bytes of a film as an MP4 of ``size`` bytes and ``seconds``; none if it ends before them."""

    data: bytes
    size: int
    seconds: float


@dataclass(slots=True)
class _Playable:
    file: int
    size: int
    seconds: float
    made: float = field(default_factory=time.monotonic)
    used: float = field(default_factory=time.monotonic)


class PlayedFilms:
    """The films that are being played. Safe for several threads, which take turns.

    Example::

        piece = PlayedFilms().piece(store, store.clips.find(identifier), 0, 1 << 20)
    """

    def __init__(self, kept_seconds: float = KEPT_SECONDS, most_bytes: int = MOST_BYTES) -> None:
        self._kept, self._most = kept_seconds, most_bytes
        self._lock = threading.Lock()
        self._films: dict[Name, _Playable] = {}
        self._timer: threading.Timer | None = None

    def piece(self, store: Store, film: Clip, start: int, length: int) -> FilmPiece:
        """Return ``length`` bytes of a film from byte ``start`` on; fewer at its end.

        Raises UsageError if the film is too large to be played, SourceError if nothing of it can be, StoreError.
        """
        with self._lock:
            playable = self._playable(store, film)
            playable.used = time.monotonic()
            self._tidy_later()
            data = os.pread(playable.file, length, start)
            return FilmPiece(data, playable.size, playable.seconds)

    def close(self) -> None:
        """Release all films."""
        with self._lock:
            for name in list(self._films):
                self._drop(name)

    def _playable(self, store: Store, film: Clip) -> _Playable:
        name = (store.state_dir, film.identifier)
        self._tidy()
        old = self._films.get(name)
        if old is not None and (film.whole or time.monotonic() - old.made < self._kept):
            return old
        if film.size > self._most:
            raise UsageError(
                f"this film is too large to be played here ({film.size / 1e6:.0f} MB)",
                f"facesecure events clip {film.identifier} --output visit.mp4",
            )
        self._drop(name)
        self._make_room(film.size)
        made = self._films[name] = _made(store, film)
        return made

    def _make_room(self, size: int) -> None:
        for name in sorted(self._films, key=lambda name: self._films[name].used):
            if sum(film.size for film in self._films.values()) + size <= self._most:
                return
            self._drop(name)

    def _tidy(self) -> None:
        for name, film in list(self._films.items()):
            if time.monotonic() - film.used >= self._kept:
                self._drop(name)

    def _tidy_later(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(self._kept + 0.1, self._tidied)
            self._timer.daemon = True
            self._timer.start()

    def _tidied(self) -> None:
        with self._lock:
            self._timer = None
            self._tidy()
            if self._films:
                self._tidy_later()

    def _drop(self, name: Name) -> None:
        if (film := self._films.pop(name, None)) is not None:
            os.close(film.file)


def _made(store: Store, film: Clip) -> _Playable:
    """Write a film as MP4 into memory that has no name on any disk."""
    descriptor = os.memfd_create("film", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(descriptor), "w+b") as file:
            seconds = write_clip(store, film, file)
        return _Playable(descriptor, os.fstat(descriptor).st_size, seconds)
    except BaseException:
        os.close(descriptor)
        raise
