"""Let the packets of a recording come when a camera would have sent them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from facesecure.camera.sources.base import Heartbeat

if TYPE_CHECKING:
    from av import Packet
    from av.video.stream import VideoStream

_LONGEST_GAP = 10.0
"""Seconds between two packets from which their times have jumped, and the next comes at once."""


class PacketPace:
    """Delays packets until their times, beginning with the first at once.

    Example::

        for packet in PacketPace(heartbeat, stopped).each(container.demux(stream)): ...
    """

    def __init__(self, heartbeat: Heartbeat, stopped: threading.Event) -> None:
        """``heartbeat`` is beaten while it waits, and ``stopped`` ends it."""
        self._heartbeat, self._stopped = heartbeat, stopped
        self._began = 0.0
        self._last: float | None = None

    def each(self, packets: Iterable[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
        """Yield ``packets``; those without a time at once."""
        for packet in packets:
            ticks = packet.pts if packet.dts is None else packet.dts
            if ticks is not None and packet.time_base and self._waits_until(float(ticks * packet.time_base)):
                return
            yield packet

    def _waits_until(self, at: float) -> bool:
        """Wait until ``at`` seconds on the recording's clock; return whether that was stopped."""
        now = time.monotonic()
        if self._last is None or not 0 <= at - self._last < _LONGEST_GAP:
            self._began = now - at
        self._last = at
        late = self._began + at - now
        return self._heartbeat.wait(self._stopped, late) if late > 0 else self._stopped.is_set()
