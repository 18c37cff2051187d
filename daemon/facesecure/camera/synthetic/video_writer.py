"""Write a video frame by frame with PyAV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import cv2
import numpy as np

from facesecure.domain import Image

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# FFmpeg's AVColorSpace and AVColorRange numbers.
_SMPTE170M, _LIMITED = 6, 1


class VideoWriter:
    """Writes an MP4 file: H.264 where FFmpeg has libx264, else MPEG-4. A context manager.

    Width and height must be even: 4:2:0 video has one colour sample for two pixels. Example::

        with VideoWriter(path, (1280, 720)) as video:
            video.write(image)
    """

    def __init__(
        self, path: Path, size: tuple[int, int], fps: float = 15.0, crf: int = 20, preset: str = "veryfast"
    ) -> None:
        """``size`` is (width, height); ``crf`` is x264's quality, lower is better; ``preset`` its speed.

        Raises ValueError for an odd width or height.
        """
        import av  # imported here: the daemon does not write videos

        if size[0] % 2 or size[1] % 2:
            raise ValueError(f"a video's width and height must be even, not {size}")
        self.size = size
        self._container = av.open(str(path), "w", format="mp4")
        self._stream = self._open_stream(fps, {"crf": str(crf), "preset": preset})
        self._frames = 0
        self._failed = False

    def _open_stream(self, fps: float, options: dict[str, str]) -> VideoStream:
        rate = Fraction(fps).limit_denominator(1000)
        stream: Any = self._container.add_stream(_codec(), rate=rate, options=options)
        stream.width, stream.height = self.size
        stream.pix_fmt = "yuv420p"
        # What cv2's conversion makes; without a tag, players take a video of this size for BT.709.
        stream.codec_context.colorspace = _SMPTE170M
        stream.codec_context.color_range = _LIMITED
        stream.gop_size = round(2 * fps)
        stream.thread_count = 1  # the same file on every machine
        return stream  # type: ignore[no-any-return]

    def write(self, image: Image) -> None:
        """Append one uint8 RGB image of the video's size.

        Raises ValueError for any other size, OSError if the file cannot be written.
        """
        import av

        if (image.shape[1], image.shape[0]) != self.size:
            raise ValueError(f"the video is {self.size}, the image {image.shape[1::-1]}")
        planes = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420), np.uint8)  # a fifth of swscale's time
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = self._frames
        self._frames += 1
        self._encode(frame)

    def close(self) -> None:
        """Finish the file, without which it cannot be played, unless writing it has failed.

        FFmpeg crashes when it goes on with a file whose header could not be written. Raises OSError.
        """
        if not self._failed:
            self._encode(None)
            self._container.close()

    def _encode(self, frame: VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except Exception:
            self._failed = True
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _codec() -> str:
    from av.codec import Codec
    from av.codec.codec import UnknownCodecError

    try:
        return Codec("libx264", "w").name
    except UnknownCodecError:
        return "mpeg4"
