"""Decode only what is needed while nothing moves.

While the pipeline says that its scene is quiet, only key frames are decoded, and the packets between them are kept. A
packet that is larger than its like, or a key frame in which something moves, makes the reader look: the kept packets
are decoded from the last key frame on, and where something moves, its frames are given out with the times at which they
came. From then on everything is decoded until the scene is quiet again.

What may be left out follows from the stream itself (``stream_structure``):
- key frames at least every ``SHORT`` seconds: everything between them;
- key frames at least every ``LONG`` seconds, and packets of even sizes: the same. A movement that a key frame shows and
  the sizes before it did not makes the sizes doubtful for a while;
- anything else: frames that no other refers to (many B frames), if there are any.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facesecure.camera.sources.attention import Attention
from facesecure.camera.sources.decoding import FrameReader
from facesecure.camera.sources.stream_structure import LONG, StreamStructure
from facesecure.camera.sources.tap import NO_TAP, PacketTap
from facesecure.domain import Luma
from facesecure.vision.detection.motion import MotionGate

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

NEXT_LOOK = 1.0
"""Seconds between two key frames that are decoded, where the sizes of the packets between would show a movement."""
BLIND_LOOK = 0.25
"""The same where they would not: fewer than all where each frame is a key frame (MJPEG)."""
MOST_BYTES = 16 * 2**20
"""Bytes of packets that are kept."""
AWAKE = 2.0
"""Seconds for which everything is decoded after a movement, whatever the pipeline says: it may not have seen it yet."""
LATE = 0.5
"""Seconds for which the sizes of packets may miss a movement that a key frame then shows."""


@dataclass(frozen=True, slots=True)
class IdleDecoding:
    """What a reader needs to leave frames out: the pipeline's ``attention``, and a new ``gate`` like the pipeline's."""

    attention: Attention
    gate: Callable[[], MotionGate]


@dataclass(frozen=True, slots=True)
class _Came:
    """A packet and when it came."""

    packet: Packet[VideoStream]
    at: float


class SparseReader(FrameReader):
    """A FrameReader that decodes only what is needed while ``idle.attention`` is not busy.

    For each frame, ``came_at`` is when its packet came (``time.monotonic()``), and ``kept`` whether it was kept and is
    decoded only now.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        name: str,
        idle: IdleDecoding,
        luma: Callable[[VideoFrame], Luma],
        tap: PacketTap = NO_TAP,
        packets: Iterable[Packet[VideoStream]] | None = None,
    ) -> None:
        """``luma`` returns the brightness of a frame, upright.

        ``packets`` are those of ``stream``, where they do not come straight from ``container``.
        """
        super().__init__(container, stream, name, tap)
        self._idle = idle
        self._luma = luma
        self._packets = container.demux(stream) if packets is None else packets
        self._codec = stream.codec_context
        self._structure = StreamStructure()
        self._group: list[_Came] = []  # from the last key frame on, while resting
        self._decoded = 0  # so many of them has the decoder had
        self._gate = idle.gate()
        self._awake_until = 0.0
        self._given: int | None = None  # the time of the latest frame, in units of the stream
        self.came_at = time.monotonic()
        self.kept = False

    def __iter__(self) -> Iterator[VideoFrame | None]:
        """Yield frames as FrameReader does, fewer while the scene is quiet."""
        for packet in self._packets:
            self._receive(packet)
            self.came_at, self.kept = time.monotonic(), False
            nothing = True
            for frame in self._frames(packet, self.came_at):
                nothing = False
                yield frame
            self.resting = bool(self._group)
            if nothing:
                yield None

    def _frames(self, packet: Packet[VideoStream], at: float) -> Iterator[VideoFrame]:
        """Yield what there is to see after ``packet`` has come."""
        wanted = self._idle.attention.busy
        busy = wanted or at < self._awake_until or not packet.size  # the last packet of a file is empty
        jumped = self._structure.see(packet, learn=not busy)
        if not self._group:
            if not busy and packet.is_keyframe and self._structure.allows_rest(at):
                return self._settle(packet, at)
            self._codec.skip_frame = "DEFAULT" if busy else "NONREF"
            return self._unseen(self._whole(packet))
        self._group.append(_Came(packet, at))
        if busy or not self._structure.allows_rest(at) or self._too_much():
            return self._wake(all_of_it=wanted)
        if packet.is_keyframe:
            return self._at_key_frame(packet, at)
        return self._chase() if jumped else iter(())

    def _too_much(self) -> bool:
        lasts = self._group[-1].at - self._group[0].at
        return lasts > LONG + 1 or sum(came.packet.size for came in self._group) > MOST_BYTES

    def _settle(self, packet: Packet[VideoStream], at: float) -> Iterator[VideoFrame]:
        """Begin to rest with the key frame ``packet``, after the frames that the decoder still holds."""
        yield from self._unseen(self._drained())
        self._codec.skip_frame = "DEFAULT"
        frame = self._alone(packet)
        if frame is None:
            self._structure.refuses_rest(at)
            yield from self._unseen(self._whole(packet))
            return
        self._gate = self._idle.gate()
        self._gate.moved(self._luma(frame), at)  # the first: there is nothing yet to compare it with
        yield from self._rest(packet, at, frame)

    def _rest(self, packet: Packet[VideoStream], at: float, frame: VideoFrame) -> Iterator[VideoFrame]:
        self._group, self._given = [_Came(packet, at)], frame.pts
        yield frame

    def _at_key_frame(self, packet: Packet[VideoStream], at: float) -> Iterator[VideoFrame]:
        """Look whether something moves in the key frame ``packet``, the last of the group."""
        if at - self._group[0].at < (NEXT_LOOK if self._structure.sizes_tell(at) else BLIND_LOOK):
            return
        frame = self._alone(packet)
        if frame is not None and not self._moves(frame, at):
            yield from self._rest(packet, at, frame)
            return
        self._restart()
        began = yield from self._chase()
        self._group = []
        if frame is None:
            self._structure.refuses_rest(at)
        elif began is not None and at - began > LATE:
            self._structure.misled(at)

    def _wake(self, *, all_of_it: bool) -> Iterator[VideoFrame]:
        """Decode what was kept, and everything from now on."""
        yield from self._chase(moving=all_of_it)
        self._group = []

    def _chase(self, *, moving: bool = False) -> Generator[VideoFrame, None, float | None]:
        """Decode the group up to now. Yield its frames from the first that moves on, and the one before it.

        Where none moves, yield the latest and go on resting. Return when the movement began, None if there is none.
        """
        before: tuple[VideoFrame, float] | None = None
        began = None
        for frame, at in self._undecoded():
            if not moving and self._moves(frame, at):
                moving, began = True, at
                yield from self._as_kept(*before) if before else ()
            if moving:
                yield from self._as_kept(frame, at)
            else:
                before = frame, at
        if moving:
            self._awake_until = self._group[-1].at + AWAKE
            self._group = []
        elif before:
            yield from self._as_kept(*before)
        return began

    def _undecoded(self) -> Iterator[tuple[VideoFrame, float]]:
        """Yield the frames of the group that the decoder has not had, each with the time when it came."""
        while self._decoded < len(self._group):
            came = self._group[self._decoded]
            self._decoded += 1
            for frame in self._whole(came.packet):
                if self._is_new(frame):
                    yield frame, came.at

    def _as_kept(self, frame: VideoFrame, at: float) -> Iterator[VideoFrame]:
        self.came_at, self.kept, self._given = at, True, frame.pts
        yield frame

    def _unseen(self, frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
        for frame in frames:
            if self._is_new(frame):
                self._given = None
                yield frame

    def _is_new(self, frame: VideoFrame) -> bool:
        """Return whether ``frame`` comes after the latest that was given out; times that jump are another stream."""
        if self._given is None or frame.pts is None or frame.time_base is None:
            return True
        return not 0 <= (self._given - frame.pts) * frame.time_base < LONG + 1

    def _moves(self, frame: VideoFrame, at: float) -> bool:
        self._gate.moved(self._luma(frame), at)
        return self._gate.moving

    def _alone(self, packet: Packet[VideoStream]) -> VideoFrame | None:
        """Return the frame of the key frame ``packet``, which the decoder may hold back until others come."""
        self._codec.flush_buffers()
        self._decoded = 1
        frames = self._whole(packet)
        if not frames:
            frames = self._drained()
        return frames[0] if frames else None

    def _drained(self) -> list[VideoFrame]:
        """Return the frames that the decoder holds back; after that it has to begin with a key frame."""
        frames = self._whole(None)
        self._restart()
        return frames

    def _restart(self) -> None:
        self._codec.flush_buffers()
        self._decoded = 0
