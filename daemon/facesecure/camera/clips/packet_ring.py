"""Keep a camera's latest packets in memory: as much as a film needs of the time before a visit.

The ring is also the queue between the camera and whoever writes the film, and the only one: it is bounded, and a disk
that stands still costs the film some packets, never the camera a frame.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any

from facesecure.camera.clips.packets import TICKS, StoredPacket, StreamFormat
from facesecure.domain import FrameImage
from facesecure.vision.images.codec import jpeg_bytes

if TYPE_CHECKING:
    from av import Packet
    from av.video.stream import VideoStream

LIMIT = 16_000_000
"""Bytes of packets that are kept of one camera: ten seconds at 12 Mbit/s."""
_MOST_IMAGES = 3
"""Images that wait for being coded; a camera that is faster loses some."""
_LONGEST_STEP = 5.0
"""Seconds between two packets of a recording beyond which its times have jumped."""

_log = logging.getLogger(__name__)


class PacketRing:
    """The latest packets of one camera; a ``PacketTap``, filled by the thread that reads the camera.

    ``reach`` seconds are kept, from the key frame before; more where a reader holds them (``hold``), and never more
    than ``limit`` bytes. Example::

        ring = PacketRing(reach=9.0)
        source = open_source(uri, camera, tap=ring)
        first = ring.hold(frame.taken_at - 5.0)
        packets = ring.take(first)
    """

    def __init__(self, reach: float, *, recorded: bool = False, limit: int = LIMIT) -> None:
        """Begin empty. ``recorded``: the source is a file, whose own times are the clock of its frames."""
        self._reach, self._recorded, self._limit = reach, recorded, limit
        self._lock = threading.Lock()
        self._packets: deque[StoredPacket] = deque()
        self._keys: deque[StoredPacket] = deque()
        self._images: deque[tuple[FrameImage, float]] = deque(maxlen=_MOST_IMAGES)
        self._size = self._next = 0
        self._held: int | None = None
        self._format: StreamFormat | None = None
        self._connected = False
        self._reader: int | None = None
        self._at = 0.0
        self._before: float | None = None
        self._follows = 0
        self.arrived = threading.Event()
        """Set when images wait for ``code_images``, a connection has ended, or much waits for being taken."""

    # The camera's side ---------------------------------------------------------------------------------------------

    def opened(self, stream: VideoStream) -> None:
        """Begin a connection, which this thread reads; another one, which hangs, is ignored from now on."""
        self._reader = threading.get_ident()
        try:
            self._format = StreamFormat.of(stream)
        except Exception:  # noqa: BLE001 - a stream without films is better than no stream
            self._format = None
            _log.warning("no film can be made of this stream: %s", stream.codec_context.name, exc_info=True)
        self._connected = self._format is not None
        self._before, self._follows = None, 0

    def packet(self, packet: Packet[Any]) -> None:
        """Keep a copy of ``packet``; drop what is too old."""
        if not self._limit or self._format is None or not packet.size or self._reader != threading.get_ident():
            return
        at = self._time_of(packet) if self._recorded else time.monotonic()
        stored = StoredPacket.of(packet, at, self._next, self._format, self._follows)
        self._follows = stored.dts + 1
        self._add(stored)

    def image(self, image: FrameImage) -> None:
        """Put an image aside: whoever writes films codes it (``code_images``)."""
        if self._limit:
            if not self._connected:
                self._format, self._connected = None, True
            self._images.append((image, time.monotonic()))
            self.arrived.set()

    def closed(self) -> None:
        """End the connection, unless it is one that hung and another has taken its place."""
        if self._reader in (None, threading.get_ident()):
            self._format, self._connected = None, False
            self.arrived.set()

    def _time_of(self, packet: Packet[Any]) -> float:
        """Return the time of a file's packet from its beginning, across jumps."""
        stamp = packet.dts if packet.dts is not None else packet.pts
        now = None if stamp is None or packet.time_base is None else float(stamp * packet.time_base)
        if now is not None and self._before is not None:
            step = now - self._before
            self._at += step if 0 <= step <= _LONGEST_STEP else 0.0
        self._before = now
        return self._at

    def _add(self, packet: StoredPacket) -> None:
        with self._lock:
            self._packets.append(packet)
            if packet.key:
                self._keys.append(packet)
            self._size += len(packet.data)
            self._next += 1
            self._trim(packet.at - self._reach)
            if self._held is not None and self._size > self._limit // 2:
                self.arrived.set()

    def _trim(self, horizon: float) -> None:
        """Drop all before the last key frame that is not younger than ``horizon``, and what is beyond the limit."""
        while len(self._keys) > 1 and self._keys[1].at <= horizon and not self._is_held(self._keys[1].number):
            self._drop_before(self._keys[1].number)
        while self._size > self._limit:
            self._drop_before(self._packets[0].number + 1)

    def _is_held(self, number: int) -> bool:
        return self._held is not None and self._held < number

    def _drop_before(self, number: int) -> None:
        while self._packets and self._packets[0].number < number:
            self._size -= len(self._packets.popleft().data)
        while self._keys and self._keys[0].number < number:
            self._keys.popleft()

    def disable(self) -> None:
        """Keep nothing from now on: no films are taken."""
        self._limit = 0

    # The film's side -----------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether packets or images come, as far as is known."""
        return self._connected

    @property
    def latest(self) -> float | None:
        """The time of the newest packet, on the clock of the frames; None before the first."""
        with self._lock:
            return self._packets[-1].at if self._packets else None

    def hold(self, at: float) -> StoredPacket | None:
        """Keep everything from the last key frame before ``at`` on, until it is taken; return that key frame.

        The oldest of this connection, if all are younger; None if there is none.
        """
        with self._lock:
            keys = [key for key in self._keys if key.format is self._format]
            if not keys:
                self._held = self._next
                return None
            before = [key for key in keys if key.at <= at]
            first = before[-1] if before else keys[0]
            self._held = first.number
            return first

    @property
    def next_number(self) -> int:
        """The number that the next packet will have."""
        with self._lock:
            return self._next

    def take(self, number: int) -> list[StoredPacket]:
        """Return the packets from ``number`` on. They stay until they are not held any more."""
        with self._lock:
            skipped = max(0, number - self._packets[0].number) if self._packets else 0
            return list(islice(self._packets, skipped, None))

    def hold_from(self, number: int) -> None:
        """Hold the packets from ``number`` on, and no others."""
        with self._lock:
            self._held = number

    def release(self) -> None:
        """Hold nothing any more."""
        with self._lock:
            self._held = None

    def code_images(self) -> None:
        """Turn the images that wait into packets, as JPEG: a tenth of their size, at 3 ms for each of 1280x720."""
        while self._images:
            image, at = self._images.popleft()
            width, height = image.size
            form = self._format
            if form is None or (form.width, form.height) != (width, height):
                form = self._format = StreamFormat.of_images(width, height)
            data, stamp = jpeg_bytes(image.rgb()), round(at * TICKS)
            self._add(StoredPacket(data, stamp, stamp, True, at, self._next, form))
