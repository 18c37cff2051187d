"""Write a film of each visit of one camera, on a thread of its own: no frame ever waits for the disk."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

from facesecure.camera.clips.muxer import FilmMuxer, FormatChangedError
from facesecure.camera.clips.packet_ring import PacketRing
from facesecure.camera.clips.packets import StoredPacket
from facesecure.config.clips import ClipsConfig
from facesecure.domain.errors import FacesecureError

_POLL = 0.5
"""Seconds between two writes of a film: so much more may be lost than a fragment when the process is killed."""
_CONTINUES = 2.0
"""Seconds within which a film goes on where the one before it ended."""
SETTLED = 3.0
"""Seconds without activity after which every sighting of it has been made; a film is not given up earlier."""
_NICE = 5
"""The thread's niceness above the process's: recognising comes first."""
_JOIN = 2.0

_log = logging.getLogger(__name__)


class Film(Protocol):
    """A film that is being written (``storage.clip_archive.KeptFilm``). Every method but the last two may raise.

    They raise OSError, or StoreError: of a film that was removed meanwhile too.
    """

    def write(self, data: bytes) -> object:
        """Add bytes."""

    def flush(self) -> None:
        """Put what was added on the disk."""

    def finish(self, seconds: float) -> None:
        """End the film, which is ``seconds`` long."""

    def discard(self) -> None:
        """Remove the film: there was no visit."""

    def close(self) -> None:
        """Release the file."""


OpenFilm = Callable[[str, str, datetime], Film]
"""Begins a film, given its identifier, the camera's name and when it begins; raises OSError or StoreError."""


@dataclass(slots=True, eq=False)
class _Stretch:
    """A stretch of activity, its times in seconds on the clock of the frames, and its film.

    ``next`` is the number of the packet to write next. ``kept``: there was a sighting in it. ``closed``: nothing more
    is written, for the film was removed or could not be written.
    """

    identifier: str
    wall_began: datetime
    began: float
    last: float
    next: int
    kept: bool = False
    film: Film | None = None
    muxer: FilmMuxer | None = None
    closed: bool = False


class ClipRecorder:
    """Films one camera while something happens, with some seconds before and after.

    ``active`` and ``keep`` are called by the thread that processes the frames, and neither wait nor raise. A stretch
    of activity without a sighting leaves no film, unless the camera was lost meanwhile. Example::

        with ClipRecorder(ring, store.clips.begin, "front door", config.clips) as recorder:
            recorder.active(frame.taken_at, frame.taken_at, frame.wall_time)
            recorder.keep()
    """

    def __init__(self, ring: PacketRing, begin: OpenFilm, camera: str, config: ClipsConfig) -> None:
        self._ring, self._begin, self._camera, self._config = ring, begin, camera, config
        self._lock = threading.Lock()
        self._stretch: _Stretch | None = None
        self._previous: _Stretch | None = None
        """The film that the present one continues."""
        self._complained = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clips", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._ring.arrived.set()
        self._thread.join(_JOIN)

    # The pipeline's side -------------------------------------------------------------------------------------------

    def active(self, at: float, since: float, wall_time: datetime) -> None:
        """Film: something happens at ``at``, which began at ``since`` (seconds on the clock of the frames).

        ``wall_time`` is the time of ``at``.
        """
        with self._lock:
            if self._stretch is not None:
                self._stretch.last = max(at, self._stretch.last)
                return
            if not self._ring.connected:  # the last frames of a connection that has ended already
                return
            self._stretch = self._begun(at, since, wall_time)
        self._ring.arrived.set()

    def keep(self) -> None:
        """Keep the film that is being taken: there is a sighting in it."""
        with self._lock:
            if self._stretch is not None:
                self._stretch.kept = True

    @property
    def identifier(self) -> str | None:
        """The identifier of the film that is being taken; None if none is."""
        with self._lock:
            return None if self._stretch is None or self._stretch.closed else self._stretch.identifier

    def _begun(self, at: float, since: float, wall_time: datetime) -> _Stretch:
        before, self._previous = self._previous, None
        continues = before is not None and at - before.last < _CONTINUES
        first = self._ring.hold(at if continues else since - self._config.before)
        began = at if first is None else min(at, first.at)
        wall_began = wall_time - timedelta(seconds=at - began)
        number = self._ring.next_number if first is None else first.number
        if continues and before is not None:
            number = max(number, before.next)
        kept = continues and before is not None and before.kept
        return _Stretch(new_identifier(wall_began), wall_began, began, at, number, kept)

    # The thread that writes ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        with suppress(OSError):  # which the service's sandbox refuses
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while not self._stop.is_set():
            self._ring.arrived.wait(_POLL if self._stretch is not None else None)
            self._ring.arrived.clear()
            self._step()
        if self._stretch is not None:
            self._end(self._stretch, keep=True)

    def _step(self) -> None:
        try:
            self._ring.code_images()
        except ValueError as error:
            _log.debug("an image is not filmed: %s", error)
        stretch = self._stretch
        if stretch is None:
            return
        connected = self._ring.connected  # before the packets are taken: those that came until then are
        try:
            if not stretch.closed:
                self._write(stretch)
        except (FormatChangedError, _FullLengthError) as end:
            _log.debug("a film ends: %s", end)
            self._previous = stretch
            self._end(stretch, keep=True)
            return
        except Exception as error:  # noqa: BLE001 - a thread that ended here would never film again
            self._give_up(stretch, error)
        if not connected or self._is_over(stretch):
            self._end(stretch, keep=not connected)

    def _write(self, stretch: _Stretch) -> None:
        """Write what has come, up to the end of the stretch as it is known now."""
        end = min(stretch.last + self._config.after, stretch.began + self._config.longest)
        for packet in self._ring.take(stretch.next):
            if packet.at > end:
                break
            self._add(stretch, packet)
            stretch.next = packet.number + 1
        self._ring.hold_from(stretch.next)
        if stretch.film is not None:
            stretch.film.flush()
        if stretch.last - stretch.began >= self._config.longest:
            raise _FullLengthError

    def _add(self, stretch: _Stretch, packet: StoredPacket) -> None:
        if stretch.film is None:
            stretch.film = self._begin(stretch.identifier, self._camera, stretch.wall_began)
            stretch.muxer = FilmMuxer(stretch.film.write)
        assert stretch.muxer is not None
        if packet.number != stretch.next:
            stretch.muxer.miss()
        stretch.muxer.add(packet)

    def _is_over(self, stretch: _Stretch) -> bool:
        latest = self._ring.latest
        return latest is not None and latest > stretch.last + max(self._config.after, SETTLED)

    def _end(self, stretch: _Stretch, *, keep: bool) -> None:
        """End the stretch and its film, unless something happens again just now; ``keep`` it in any case."""
        with self._lock:
            if not keep and not self._is_over(stretch):
                return
            self._stretch = None
            keep = keep or stretch.kept
        self._ring.release()
        try:
            self._finish(stretch, keep=keep)
        except Exception as error:  # noqa: BLE001 - as above
            self._give_up(stretch, error)

    def _finish(self, stretch: _Stretch, *, keep: bool) -> None:
        film, muxer = stretch.film, stretch.muxer
        stretch.film = stretch.muxer = None
        if film is None or muxer is None:
            return
        if not keep:
            muxer.abandon()
            film.discard()
            return
        try:
            muxer.close()
            film.finish(muxer.seconds)
            self._complained = False
        finally:
            film.close()

    def _give_up(self, stretch: _Stretch, error: Exception) -> None:
        """Leave the film as it is: what was written can be played. Nothing more is filmed of this stretch."""
        stretch.closed = True
        self._ring.release()
        if stretch.muxer is not None:
            stretch.muxer.abandon()
        if stretch.film is not None:
            stretch.film.close()
        stretch.film = stretch.muxer = None
        expected = isinstance(error, OSError | FacesecureError)
        level = logging.DEBUG if self._complained and expected else logging.WARNING
        self._complained = True
        _log.log(level, "the film %s ends early: %s", stretch.identifier, error, exc_info=not expected)


class _FullLengthError(Exception):
    """The film is as long as films may be; the next one continues it."""


def new_identifier(began: datetime) -> str:
    """Return an identifier for a film that begins at ``began``, by which films sort."""
    return f"{began.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
