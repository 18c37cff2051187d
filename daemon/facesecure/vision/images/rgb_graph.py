"""Convert video frames to RGB into memory that is used again for later frames.

FFmpeg's scaler takes 0.6 ms for 1920x1080 on one thread. Into newly mapped memory it takes five times as long, because
the system clears each page when it is first written to, and the daemon has large buffers mapped anew each time
(``app.process_memory``). A filter graph keeps the buffers of frames that nobody holds any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from av import VideoFrame

# FFmpeg's AVColorSpace numbers, and what its scale filter calls them.
_MATRICES = {1: "bt709", 4: "fcc", 5: "bt470", 6: "smpte170m", 7: "smpte240m", 9: "bt2020"}
_RANGES = {1: "tv", 2: "pc"}
_PLANAR = frozenset(f"yuv{j}{sampling}p" for j in ("", "j") for sampling in ("420", "422", "444"))
"""Formats that a graph converts to the same bytes as the scaler alone; of others it smooths the colours differently."""

Kind = tuple[str, int, int, int, int, int, int]


def kind_of(frame: VideoFrame, matrix: int, coded_range: int) -> Kind:
    """Return what frames that one graph converts have in common: format, size, colours as stated and as understood."""
    stated = int(frame.colorspace), int(frame.color_range)
    return frame.format.name, frame.width, frame.height, *stated, matrix, coded_range


class RgbGraph:
    """Converts frames of one kind. Not safe for two threads at once.

    Example::

        graph = RgbGraph.build(kind_of(frame, 1, 1))
        image = graph.rgb(frame).to_ndarray()
    """

    @classmethod
    def build(cls, kind: Kind) -> RgbGraph | None:
        """Return the graph for frames of ``kind``, None where this FFmpeg does not convert them so."""
        import av

        try:
            return cls(kind)
        except (av.FFmpegError, AttributeError, LookupError, TypeError, ValueError):
            return None

    def __init__(self, kind: Kind) -> None:
        """Build it. Raises ValueError, or one of PyAV's errors, where this FFmpeg cannot."""
        import av

        name, width, height, colorspace, color_range, matrix, coded_range = kind
        if name not in _PLANAR or matrix not in _MATRICES or coded_range not in _RANGES:
            raise ValueError(f"no graph for {kind}")
        stated = f"video_size={width}x{height}:pix_fmt={name}:time_base=1/1000"
        colours = f"in_color_matrix={_MATRICES[matrix]}:in_range={_RANGES[coded_range]}:out_range=pc"
        self._graph = av.filter.Graph()
        self._graph.threads = 1
        self._in = self._graph.add("buffer", f"{stated}:colorspace={colorspace}:range={color_range}")
        self._out = self._graph.add("buffersink")
        scale, rgb = self._graph.add("scale", colours), self._graph.add("format", "pix_fmts=rgb24")
        self._graph.link_nodes(self._in, scale, rgb, self._out).configure()

    def rgb(self, frame: VideoFrame) -> VideoFrame:
        """Return ``frame`` as rgb24, in memory that is not used again while the result, or a view of it, lives."""
        self._in.push(frame)
        return cast("VideoFrame", self._out.pull())
