"""Recorded video, by way of PyAV: phone clips, exports of other recorders, the bench's film."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from facesecure.camera.sources.base import FrameClock, Heartbeat, ProbeResult
from facesecure.camera.sources.decoding import FrameReader, video_stream
from facesecure.camera.sources.uri import Address
from facesecure.config import CameraConfig
from facesecure.domain import Frame
from facesecure.domain.errors import SourceError
from facesecure.vision.images.frames import ColourConverter, VideoPicture

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

log = logging.getLogger(__name__)


class VideoFile:
    """A video file. Ends when the film ends; ``frames`` may be called again and starts over.

    ``taken_at`` is the film's own time, from 0; ``wall_time`` is ``start`` (default: when it is opened) plus that.
    With ``file_speed = "real"`` frames come when a camera would have sent them, and a slow reader may drop some.
    """

    def __init__(
        self, address: Address, camera: CameraConfig, *, start: datetime | None = None, threads: int = 1
    ) -> None:
        self.live = camera.file_speed == "real"
        self._address = address
        self._start = start
        self._threads = threads
        self._stopped = threading.Event()
        self._sign = Heartbeat()

    def __repr__(self) -> str:
        return f"VideoFile({self._address})"

    @property
    def alive_at(self) -> float:
        """When this last gave a picture or waited to give the next, in ``time.monotonic()``."""
        return self._sign.at

    def stop(self) -> None:
        """End all iteration soon, for good; callable from any thread."""
        self._stopped.set()

    def frames(self) -> Generator[Frame]:
        """Every frame of the film. What is damaged is left out, with a warning at the end.

        Raises SourceError if it is no video or not one frame of it can be decoded.
        """
        with self._opened() as (container, stream):
            began, start = time.monotonic(), self._start or datetime.now(UTC)
            stamper, converter, clock = FrameClock(), ColourConverter(), _FilmClock(stream)
            for film_frame in self._readable(container, stream):
                frame = stamper.recorded(VideoPicture(film_frame, converter), clock.time_of(film_frame), start)
                if self.live and self._sign.wait(self._stopped, began + frame.taken_at - time.monotonic()):
                    return
                yield frame
                if self._stopped.is_set():
                    return

    def probe(self) -> ProbeResult:
        """Size and rate of the film, after decoding its first frame. Raises SourceError."""
        with self._opened() as (container, stream):
            first = next(self._readable(container, stream))
            size = VideoPicture(first, ColourConverter()).size
            return ProbeResult(*size, float(stream.average_rate or 0), f"{stream.codec_context.codec.name} video file")

    @contextmanager
    def _opened(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        import av

        path = self._address.path
        try:
            container = av.open(str(path))
        except av.FFmpegError as error:
            raise self._unreadable(error) from None
        with container:
            yield container, video_stream(container, self._address, self._threads)

    def _unreadable(self, error: Exception) -> SourceError:
        path = self._address.path
        if not path.exists():
            return SourceError(f"{path} has gone", "was it moved or deleted?")
        if isinstance(error, PermissionError):
            return SourceError(f"{path} may not be read by this user", f"try: chmod a+r '{path}'")
        if path.stat().st_size == 0:
            return SourceError(f"{path} is empty", "copy it again")
        return SourceError(
            f"{path} is not a video, or its beginning or end is missing",
            "play it in a video player to check, and copy it again",
        )

    def _readable(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        """Decoded frames until the film ends or breaks off; one warning tells if something was lost."""
        import av

        reader, last = FrameReader(container, stream), None
        try:
            for frame in reader:
                if frame is not None:
                    last = frame
                    yield frame
        except av.FFmpegError:
            reader.damaged += 1
        if last is None:
            raise SourceError(
                f"no picture in {self._address.path} can be decoded", "it is damaged or not finished; copy it again"
            )
        self._warn_if_cut_short(container, reader, last)

    def _warn_if_cut_short(self, container: InputContainer, reader: FrameReader, last: VideoFrame) -> None:
        length = (container.duration or 0) / 1e6  # FFmpeg counts it in microseconds
        reached = (last.time or 0.0) - (container.start_time or 0) / 1e6
        if reader.damaged or reached < 0.9 * length - 0.5:
            log.warning("%s is damaged or cut short: read to %.1f s of %.1f s", self._address.path, reached, length)


class _FilmClock:
    """Seconds since the film's first frame. Frames without a time of their own follow at the film's rate."""

    def __init__(self, stream: VideoStream) -> None:
        self._step = 1 / float(stream.average_rate or 25)
        self._first: float | None = None
        self._next = 0.0

    def time_of(self, frame: VideoFrame) -> float:
        coded: float | None = frame.time
        if self._first is None:
            self._first = coded or 0.0
        at = self._next if coded is None else coded - self._first
        self._next = at + self._step
        return at
