"""How a coded video frame is to be shown: with square pixels, mirrored, and turned, as its stream says."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from av import VideoFrame

_MATRIX = struct.Struct("=9i")
_BELIEVED = (1 / 4, 4.0)
"""Widths of a pixel, in heights, beyond which the statement is taken for a mistake."""
_NEARLY_SQUARE = 0.01


@dataclass(frozen=True, slots=True)
class Display:
    """How to show the frames of a stream.

    Applied in this order: ``pixel_aspect``, the width of a pixel in heights; ``mirrored``, left and right exchanged;
    ``quarter_turns`` anticlockwise. Example::

        upright = Display.of(frame, pixel_aspect=2.0).shown(plane)
    """

    pixel_aspect: float = 1.0
    mirrored: bool = False
    quarter_turns: int = 0

    @classmethod
    def of(cls, frame: VideoFrame, pixel_aspect: float = 1.0) -> Display:
        """Return what ``frame``'s display matrix says, if it has one (ISO 14496-12, 6.2.2), and its stream's pixels."""
        return cls(believed(pixel_aspect), *_orientation(frame))

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return the (width, height) at which a frame of that coded size is shown."""
        width, height = self._square(width, height)
        return (height, width) if self.quarter_turns % 2 else (width, height)

    def shown(self, plane: np.ndarray[Any, np.dtype[np.uint8]]) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return the uint8 (height, width[, 3]) ``plane`` as it is shown; a view of it where its pixels are square."""
        if self.pixel_aspect != 1.0:
            size = self._square(plane.shape[1], plane.shape[0])
            plane = np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        if self.mirrored:
            plane = plane[:, ::-1]
        return np.rot90(plane, self.quarter_turns)

    def _square(self, width: int, height: int) -> tuple[int, int]:
        """Return the size with square pixels. It only grows, so that no detail is lost."""
        if self.pixel_aspect >= 1:
            return round(width * self.pixel_aspect), height
        return width, round(height / self.pixel_aspect)


class StreamDisplay:
    """How to show the frames of one stream. The display matrix is read from the first frame only, which takes time.

    Example::

        display = StreamDisplay()
        images = (VideoImage(frame, converter, display.of(frame, 1.0)) for frame in frames)
    """

    def __init__(self) -> None:
        self._first: Display | None = None

    def of(self, frame: VideoFrame, pixel_aspect: float) -> Display:
        """Return how to show ``frame``, whose pixels are ``pixel_aspect`` heights wide."""
        if self._first is None:
            self._first = Display.of(frame, pixel_aspect)
        return Display(believed(pixel_aspect), self._first.mirrored, self._first.quarter_turns)


def believed(pixel_aspect: float) -> float:
    """Return ``pixel_aspect``, or 1 where it is nearly square or cannot be true."""
    plausible = _BELIEVED[0] <= pixel_aspect <= _BELIEVED[1] and abs(pixel_aspect - 1) >= _NEARLY_SQUARE
    return pixel_aspect if plausible else 1.0


def _orientation(frame: VideoFrame) -> tuple[bool, int]:
    """Return whether ``frame`` is shown mirrored left and right, and its quarter turns anticlockwise after that."""
    data = _miniature(frame).side_data.get("DISPLAYMATRIX")
    if data is None or len(raw := bytes(data)) < _MATRIX.size:  # type: ignore[call-overload]
        return False, 0
    a, b, _, c, d, *_ = _MATRIX.unpack(raw[: _MATRIX.size])
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    return mirrored, round(-math.degrees(math.atan2(b, a)) / 90) % 4


def _miniature(frame: VideoFrame) -> VideoFrame:
    """Return a small copy of ``frame`` with its side data: PyAV never frees a frame whose side data was read.

    A mirrored frame has no rotation, so that ``frame.rotation`` does not tell which frames have side data.
    """
    import av

    graph = av.filter.Graph()
    try:
        base = frame.time_base or Fraction(1, 1000)
        buffer = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=base)
        graph.link_nodes(buffer, graph.add("scale", "16:16"), graph.add("buffersink")).configure()
        graph.push(frame)
        return cast("VideoFrame", graph.pull())
    except (av.FFmpegError, ValueError):  # a pixel format that cannot be scaled
        return frame
