"""The time of each frame of a recording, whatever its timestamps do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facesecure.camera.sources.decoding import frame_rate

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.stream import VideoStream

_LONGEST_GAP = 10.0
"""Seconds between two frames, or ten times the video's own step, from which timestamps have jumped."""


class PresentationTimes:
    """Seconds since the first frame of a video. Frames without a time of their own follow at the video's rate.

    AVI and some others state when frames are to be decoded, not when they are to be shown, and then the times of frames
    that refer to later ones are out of order. As FFmpeg does, whichever of both rises more steadily is believed.

    Timestamps may restart or jump: where recordings were put together, where a recorder set its clock, where a 33-bit
    counter of MPEG-TS ran over. There the time continues with one step; ``seams`` counts the places. Call ``of`` once
    for each frame, in order::

        at = times.of(frame)
    """

    def __init__(self, stream: VideoStream) -> None:
        self._step = 1 / (frame_rate(stream) or 25)
        self._offset: float | None = None
        self._next = 0.0
        self._shown, self._decoded = _Rising(), _Rising()
        self.seams = 0

    def of(self, frame: VideoFrame) -> float:
        """Return the seconds of ``frame``."""
        coded = self._coded(frame)
        at = self._next if coded is None else self._continued(coded)
        self._next = at + self._step
        return at

    def _coded(self, frame: VideoFrame) -> float | None:
        """Return the time that ``frame`` itself states, None if it states none."""
        shown: int | None = frame.pts
        self._shown.see(shown)
        self._decoded.see(frame.dts)
        use_decoded = frame.dts is not None and (shown is None or self._shown.faults > self._decoded.faults)
        ticks = frame.dts if use_decoded else shown
        return None if ticks is None else float(ticks * (frame.time_base or 0))

    def _continued(self, coded: float) -> float:
        if self._offset is None:
            self._offset = self._next - coded
        ahead = coded + self._offset - self._next
        # A step back of two frames or less is a muxer's jitter.
        if ahead < -3 * self._step or ahead > max(_LONGEST_GAP, 10 * self._step):
            self.seams += 1
            self._offset = self._next - coded
        return coded + self._offset


class _Rising:
    """Counts in ``faults`` how often numbers that should rise do not."""

    def __init__(self) -> None:
        self.faults = 0
        self._last: int | None = None

    def see(self, ticks: int | None) -> None:
        """Note the next number, if there is one."""
        if ticks is None:
            return
        self.faults += self._last is not None and ticks <= self._last
        self._last = ticks
