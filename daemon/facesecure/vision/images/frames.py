"""Pixels as sources deliver them, behind ``domain.FrameImage``: converted only on request.

A quiet scene costs no colour conversion at all: the motion gate reads only the luma, which for video is the
Y plane that the decoder made anyway.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from facesecure.domain import Image, Luma
from facesecure.vision.images.display import Display
from facesecure.vision.images.rgb_graph import Kind, RgbGraph, kind_of

if TYPE_CHECKING:
    from av import VideoFrame

# FFmpeg's names of 8-bit formats whose first plane is brightness, one byte a pixel.
_PLANAR = frozenset(
    ["gray", "nv12", "nv21"]
    + [f"yuv{j}{sampling}p" for j in ("", "j") for sampling in ("410", "411", "420", "422", "440", "444")]
)
# Packed formats: which byte of each pair is brightness.
_PACKED = {"yuyv422": 0, "yvyu422": 0, "uyvy422": 1}

# FFmpeg's AVColorSpace and AVColorRange numbers.
_BT709, _SMPTE170M, _UNTAGGED = 1, 6, 2
_LIMITED, _FULL = 1, 2
_KINDS = 2
"""Kinds of frames, as of one stream after another, whose memory is kept."""


class RgbImage:
    """An image that is RGB already: uint8 (height, width, 3). ``luma`` is its brightness, if the camera gives one.

    Raises ValueError for another shape or type. Example::

        brightness = RgbImage(np.zeros((240, 320, 3), np.uint8)).luma()
    """

    def __init__(self, image: Image, luma: Luma | None = None) -> None:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"an RGB image is uint8 (height, width, 3), not {image.dtype} {image.shape}")
        if luma is not None and (luma.ndim != 2 or luma.dtype != np.uint8):
            raise ValueError(f"a luma plane is uint8 (height, width), not {luma.dtype} {luma.shape}")
        self._rgb = np.ascontiguousarray(image)
        self._luma = luma

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        height, width = self._rgb.shape[:2]
        return width, height

    def rgb(self) -> Image:
        """Return the image, uint8 RGB (height, width, 3)."""
        return self._rgb

    def luma(self) -> Luma:
        """Return the brightness, uint8 (h, w); may be smaller than the image where the camera gives it."""
        if self._luma is None:
            self._luma = np.asarray(cv2.cvtColor(self._rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        return self._luma


class ColourConverter:
    """Converts decoded frames to RGB, keeping the scaler's tables and memory from frame to frame. Thread-safe.

    Single-threaded on purpose: at 1920x1080 it takes 0.6 ms on one thread, less than waking others would.
    It honours the stream's matrix and range, which OpenCV's conversion does not (always BT.601, limited). Example::

        image = ColourConverter().rgb(next(container.decode(video=0)))
    """

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()
        self._lock = threading.Lock()
        self._graphs: OrderedDict[Kind, RgbGraph | None] = OrderedDict()
        self._one_thread: dict[str, Any] = {"threads": 1}

    def rgb(self, frame: VideoFrame) -> Image:
        """Convert ``frame``, in any pixel format that FFmpeg knows, to uint8 RGB (height, width, 3)."""
        try:
            return self._converted(frame)
        except OSError:  # the stream states colours that FFmpeg cannot convert, as damaged ones do
            frame.color_trc = frame.color_primaries = frame.colorspace = _UNTAGGED
            return self._converted(frame)

    def _converted(self, frame: VideoFrame) -> Image:
        matrix, coded_range = colour_of(frame)
        with self._lock:
            graph = self._graph(kind_of(frame, matrix, coded_range))
            converted = graph.rgb(frame) if graph else self._scaled(frame, matrix, coded_range)
            return np.asarray(converted.to_ndarray(), np.uint8)

    def _graph(self, kind: Kind) -> RgbGraph | None:
        """Return the graph for frames of ``kind``, None where FFmpeg has none. The latest kinds are kept."""
        if kind not in self._graphs:
            self._graphs[kind] = RgbGraph.build(kind)
            while len(self._graphs) > _KINDS:
                self._graphs.popitem(last=False)
        self._graphs.move_to_end(kind)
        return self._graphs[kind]

    def _scaled(self, frame: VideoFrame, matrix: int, coded_range: int) -> VideoFrame:
        settings: dict[str, Any] = {
            "format": "rgb24",
            "src_colorspace": matrix,
            "dst_colorspace": matrix,
            "src_color_range": coded_range,
            "dst_color_range": _FULL,
        }
        return self._reformat(frame, settings)

    def _reformat(self, frame: VideoFrame, settings: dict[str, Any]) -> VideoFrame:
        try:
            return self._reformatter.reformat(frame, **settings, **self._one_thread)
        except TypeError:
            if not self._one_thread:
                raise
        self._one_thread = {}  # PyAV before 17 has one thread and no such option
        return self._reformatter.reformat(frame, **settings)


def colour_of(frame: VideoFrame) -> tuple[int, int]:
    """Return the frame's (matrix, range) in FFmpeg's numbers, guessed as players do for an untagged stream.

    Untagged video is BT.709 from 720 lines up and BT.601 below (ITU-R BT.709 and BT.601: HD and SD);
    its range is limited unless the pixel format is one of the full-range "yuvj" ones.
    """
    matrix, coded_range = int(frame.colorspace), int(frame.color_range)
    if matrix == _UNTAGGED:
        matrix = _BT709 if frame.height >= 720 else _SMPTE170M
    if coded_range not in (_LIMITED, _FULL):
        full = frame.format.name.startswith(("yuvj", "rgb", "bgr", "gbr", "gray"))
        coded_range = _FULL if full else _LIMITED
    return matrix, coded_range


class VideoImage:
    """A decoded video frame: the luma is a view of the decoder's own plane, RGB is made on the first request.

    The luma keeps the stream's coding range (16 to 235 for most cameras). Both have square pixels, and are turned and
    mirrored as the file says, which phones write. ``frame`` is kept as long as this image or a view of it lives.
    """

    def __init__(self, frame: VideoFrame, converter: ColourConverter, display: Display | None = None) -> None:
        """``display`` says how the stream's frames are shown; without it the frame's own statement holds."""
        self._frame = frame
        self._converter = converter
        self._display = display or Display.of(frame)
        self._rgb: Image | None = None
        self._luma: Luma | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in square pixels, upright."""
        return self._display.size(self._frame.width, self._frame.height)

    def rgb(self) -> Image:
        """Return the image, uint8 RGB (height, width, 3), upright; converted once."""
        if self._rgb is None:
            self._rgb = np.ascontiguousarray(self._display.shown(self._converter.rgb(self._frame)))
        return self._rgb

    def luma(self) -> Luma:
        """Return the brightness, uint8 (height, width), upright."""
        if self._luma is None:
            coded = _coded_luma(self._frame)
            if coded is None:
                self._luma = np.asarray(cv2.cvtColor(self.rgb(), cv2.COLOR_RGB2GRAY), np.uint8)
            else:
                self._luma = self._display.shown(coded)
        return self._luma


def _coded_luma(frame: VideoFrame) -> Luma | None:
    """Return a view of the brightness in the frame's first plane; None if the format has none."""
    name = frame.format.name
    if name not in _PLANAR and name not in _PACKED:
        return None
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height]  # type: ignore[call-overload]
    if name in _PLANAR:
        return np.asarray(rows[:, : frame.width])
    return np.asarray(rows[:, _PACKED[name] : 2 * frame.width : 2])
