"""The time of each frame of a recording, whatever its timestamps do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.stream import VideoStream

_LONGEST_GAP = 10.0
"""Seconds between two frames, or ten times the video's own step, from which timestamps have jumped."""
_RATES = (1 / 3600, 1000.0)
"""Frames per second that are believed."""


class PresentationTimes:
    """Seconds since the first frame of a video. Frames without a time of their own follow at the video's rate.

    Timestamps may restart or jump: where recordings were put together, where a recorder set its clock, where a 33-bit
    counter of MPEG-TS ran over. There the time continues with one step; ``seams`` counts the places. Call ``of`` once
    for each frame, in order::

        at = times.of(frame)
    """

    def __init__(self, stream: VideoStream) -> None:
        rate = float(stream.average_rate or 25)
        self._step = 1 / rate if _RATES[0] <= rate <= _RATES[1] else 1 / 25
        self._offset: float | None = None
        self._next = 0.0
        self.seams = 0

    def of(self, frame: VideoFrame) -> float:
        """Return the seconds of ``frame``."""
        coded: float | None = frame.time
        at = self._next if coded is None else self._continued(coded)
        self._next = at + self._step
        return at

    def _continued(self, coded: float) -> float:
        if self._offset is None:
            self._offset = self._next - coded
        ahead = coded + self._offset - self._next
        # A step back of two frames or less is a muxer's jitter.
        if ahead < -3 * self._step or ahead > max(_LONGEST_GAP, 10 * self._step):
            self.seams += 1
            self._offset = self._next - coded
        return coded + self._offset
