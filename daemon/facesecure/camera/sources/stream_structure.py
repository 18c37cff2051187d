"""The structure of a video stream, as its packets show it without being decoded.

How far apart its key frames are, and whether the sizes of the packets between them would show a movement: an encoder
sends little for a scene that stands still, and more as soon as something moves.
"""

from __future__ import annotations

import logging
from collections import deque
from itertools import chain
from math import inf
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import Packet
    from av.video.stream import VideoStream

log = logging.getLogger(__name__)

SHORT = 0.55
"""Seconds between key frames up to which nothing else needs to be looked at."""
LONG = 4.5
"""Seconds between key frames up to which the sizes of packets are relied on."""
DOUBT = 600.0
"""Seconds for which sizes are not relied on after they missed a movement; twice as long after each further one."""

_DISTANCES = 4
"""Distances that are remembered: an encoder may put a key frame of its own where a scene changes."""
_GROUPS = 4
"""Groups of packets, each from one key frame to the next, with which packets at the same place are compared."""
_DEVIATIONS = 60
"""Packets of a kind from which the spread of their sizes is known."""
_NOTHING = 64
"""Bytes that a packet may be larger without having anything in it."""
_FEWEST_GROUPS = 2
_FEWEST_PACKETS = 15
"""Groups, and packets of a kind, that must have been seen before sizes are relied on."""
_LEAST_SPREAD = 0.05
"""Standard deviation of sizes, as a share of the usual size, below which none is believed."""
_ALLOWANCE, _MOST, _ALARM = 0.7, 2.0, 5.0
"""A cumulative sum of how much larger than usual packets are (CUSUM; Page, 1954), in standard deviations: each packet
adds what it exceeds the allowance by, at most 1.3 so that no single one decides, and 5 are an alarm. On encodes of a
door with key frames every 0.5 to 4 s it came 0.4 s at most after the motion gate's; without movement it made 3 to 13 %
of the frames be decoded."""
_MOVER = 0.005
"""What a person far off adds to a packet, as a share of a key frame; no spread may hide that."""


class StreamStructure:
    """Learns a stream's structure from its packets.

    Example::

        jumped = structure.see(packet, learn=True)
        if packet.is_keyframe and structure.allows_rest(time.monotonic()): ...
    """

    def __init__(self) -> None:
        self._distances = _KeyFrameDistances()
        self._sizes = _PacketSizes()
        self._doubted_until = self._refused_until = -inf
        self._doubt = DOUBT

    def see(self, packet: Packet[VideoStream], *, learn: bool) -> bool:
        """Return whether ``packet``, the stream's next, is so large that something moves, or may.

        ``learn``: the scene is quiet, and ``packet`` like those that follow while it is.
        """
        self._distances.see(packet)
        if not packet.size or packet.is_keyframe:
            self._sizes.key_frame(packet)
            return False
        return self._sizes.jumped(packet, learn=learn)

    def allows_rest(self, at: float) -> bool:
        """Return whether nothing needs to be decoded between key frames at ``at`` (seconds)."""
        longest = self._distances.longest
        if at < self._refused_until:
            return False
        return longest <= SHORT or (longest <= LONG and self.sizes_tell(at))

    def sizes_tell(self, at: float) -> bool:
        """Return whether the sizes of packets would show a movement at ``at`` (seconds)."""
        return at >= self._doubted_until and self._sizes.telling

    def misled(self, at: float) -> None:
        """Note that the sizes of packets did not show a movement."""
        self._doubted_until = at + self._doubt
        log.info("the sizes of packets did not show a movement; they are not relied on for %.0f s", self._doubt)
        self._doubt *= 2

    def refuses_rest(self, at: float) -> None:
        """Note that a key frame could not be decoded without the frames before it."""
        self._refused_until = at + self._doubt
        log.info("a key frame could not be decoded alone; everything is decoded for %.0f s", self._doubt)
        self._doubt *= 2


class _KeyFrameDistances:
    """Seconds between a stream's key frames, by the stream's own times."""

    def __init__(self) -> None:
        self._distances: deque[float] = deque(maxlen=_DISTANCES)
        self._last: float | None = None

    def see(self, packet: Packet[VideoStream]) -> None:
        if not packet.is_keyframe or not packet.size:
            return
        at = float(packet.pts * packet.time_base) if packet.pts is not None and packet.time_base else None
        if at is None or (self._last is not None and at <= self._last):
            self._distances.clear()  # no times, or they begin anew: nothing is known any more
        elif self._last is not None:
            self._distances.append(at - self._last)
        self._last = at

    @property
    def longest(self) -> float:
        """Return the longest of the last distances; ``inf`` before there are two."""
        return max(self._distances) if len(self._distances) >= 2 else inf


class _PacketSizes:
    """Compares the packets between key frames with those at the same places in the last groups."""

    def __init__(self) -> None:
        self._kinds = {False: _Kind(), True: _Kind()}
        self._key_frame = 0
        self._latest = -inf
        self._excess = 0.0

    def key_frame(self, packet: Packet[VideoStream]) -> None:
        """Begin a new group with ``packet``."""
        self._key_frame = packet.size or self._key_frame
        self._latest = max(self._latest, packet.pts or 0)
        for kind in self._kinds.values():
            kind.begin_group()

    def jumped(self, packet: Packet[VideoStream], *, learn: bool) -> bool:
        """Return whether ``packet`` and those before it are larger than usual, or cannot be judged."""
        pts = packet.pts or 0
        refers_ahead, self._latest = pts < self._latest, max(self._latest, pts)
        excess = self._kinds[refers_ahead].excess(packet.size, learn=learn)
        if excess is None:
            return True
        self._excess = min(_ALARM, max(0.0, self._excess + max(-_MOST, min(_MOST, excess)) - _ALLOWANCE))
        return self._excess >= _ALARM

    @property
    def telling(self) -> bool:
        """Return whether the sizes are so even that a small movement stands out."""
        used = [kind for kind in self._kinds.values() if kind.used]
        return bool(used) and all(kind.telling(_MOVER * self._key_frame) for kind in used)


class _Kind:
    """The sizes of one kind of packets (P, or B, which refer to later frames) in the last groups."""

    def __init__(self) -> None:
        self._groups: deque[list[int]] = deque(maxlen=_GROUPS)
        self._group: list[int] = []
        self._learns = False
        self._deviations: deque[float] = deque(maxlen=_DEVIATIONS)

    @property
    def used(self) -> bool:
        return bool(self._groups)

    def begin_group(self) -> None:
        if self._learns and self._group:
            self._groups.append(self._group)
        self._group, self._learns = [], True

    def excess(self, size: int, *, learn: bool) -> float | None:
        """Return by how many standard deviations the next packet is larger than usual; None if that is not known."""
        usual = self._usual(len(self._group))
        self._group.append(size)
        self._learns &= learn
        if usual is None:
            return None
        larger = ((size - _NOTHING) / usual - 1) / self._spread()
        if learn:
            self._deviations.append(abs(size / usual - 1))
        return larger

    def telling(self, most: float) -> bool:
        """Return whether a standard deviation is ``most`` bytes at the most."""
        if len(self._groups) < _FEWEST_GROUPS or len(self._deviations) < _FEWEST_PACKETS:
            return False
        return self._spread() * median(chain.from_iterable(self._groups)) <= most

    def _spread(self) -> float:
        return max(_LEAST_SPREAD, 1.4826 * median(self._deviations)) if self._deviations else 1.0

    def _usual(self, place: int) -> float | None:
        """Return the usual size at ``place`` after the key frame, and beside it; None if no group was as long."""
        beside = [group[max(0, place - 1) : place + 2] for group in self._groups if place < len(group)]
        return max(1.0, median(chain.from_iterable(beside))) if beside else None
