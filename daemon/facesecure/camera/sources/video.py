"""Play recorded video with PyAV: phone clips, exports of other recorders, benchmark videos."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from facesecure.camera.sources.base import ProbeResult, RecordedSource
from facesecure.camera.sources.decoding import (
    FrameReader,
    PixelAspect,
    frame_rate,
    open_container,
    unreadable,
    video_stream,
)
from facesecure.camera.sources.frame_limits import checked_image
from facesecure.camera.sources.idle_decoding import IdleDecoding, SparseReader
from facesecure.camera.sources.packet_pace import PacketPace
from facesecure.camera.sources.presentation import PresentationTimes
from facesecure.camera.sources.tap import NO_TAP, PacketTap, tapped
from facesecure.camera.sources.uri import Address
from facesecure.config import CameraConfig
from facesecure.domain import FrameImage
from facesecure.domain.errors import SourceError
from facesecure.vision.images.display import Display, StreamDisplay
from facesecure.vision.images.frames import ColourConverter, VideoImage

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

log = logging.getLogger(__name__)

_LONGEST = 7 * 86400.0
"""Seconds that a file may claim to last; a longer claim is a jump of its timestamps."""


class VideoFile(RecordedSource):
    """A video file. Damaged frames are left out, with one warning at the end.

    Example::

        for frame in VideoFile(parse("file:clip.mp4"), CameraConfig()).frames():
            ...
    """

    def __init__(
        self,
        address: Address,
        camera: CameraConfig,
        *,
        start: datetime | None = None,
        threads: int = 1,
        tap: PacketTap = NO_TAP,
        idle: IdleDecoding | None = None,
    ) -> None:
        """``threads`` decode the video (0: as many as FFmpeg likes), and ``tap`` receives its packets.

        With ``idle`` not all of them are decoded, at real speed: at full speed runs repeat exactly. Nothing is opened
        yet.
        """
        super().__init__(address, camera, start=start)
        self._threads = threads
        self._tap = tap
        self._idle = idle if self.live else None

    def probe(self) -> ProbeResult:
        """Return the size and rate of the video, after decoding its first frame. Raises SourceError."""
        with self._opened() as (container, stream):
            aspect = PixelAspect(stream)
            reader = FrameReader(container, stream, str(self._address))
            first = next(self._readable(container, reader, PresentationTimes(stream)))
            size = Display.of(first, aspect.now()).size(first.width, first.height)
            return ProbeResult(*size, frame_rate(stream), f"{stream.codec_context.codec.name} video file")

    def _timed_images(self) -> Generator[tuple[FrameImage, float]]:
        with self._opened() as (container, stream), tapped(self._tap, stream):
            self._length = min(_length(container), _LONGEST)
            converter, display, times = ColourConverter(), StreamDisplay(), PresentationTimes(stream)
            aspect = PixelAspect(stream)

            def image_of(frame: VideoFrame) -> VideoImage:
                return checked_image(frame, converter, display.of(frame, aspect.now()), str(self._address))

            reader = self._reader(container, stream, image_of)
            for frame in self._readable(container, reader, times):
                self.replaying, self.resting = isinstance(reader, SparseReader) and reader.kept, reader.resting
                yield image_of(frame), times.of(frame)

    def _reader(
        self, container: InputContainer, stream: VideoStream, image_of: Callable[[VideoFrame], VideoImage]
    ) -> FrameReader:
        name = str(self._address)
        if self._idle is None:
            return FrameReader(container, stream, name, self._tap)
        packets = PacketPace(self._heartbeat, self._stopped).each(container.demux(stream))
        return SparseReader(
            container, stream, name, self._idle, lambda frame: image_of(frame).luma(), self._tap, packets
        )

    @contextmanager
    def _opened(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        path = self._address.path
        try:
            container = open_container(path)
        except unreadable() as error:
            raise self._unreadable(error) from None
        with container:
            yield container, video_stream(container, self._address, self._threads)

    def _unreadable(self, error: Exception) -> SourceError:
        path = self._address.path
        if not path.exists():
            return SourceError(f"{path} no longer exists", "was it moved or deleted?")
        if isinstance(error, PermissionError):
            return SourceError(f"this user may not read {path}", f"try: chmod a+r '{path}'")
        if path.stat().st_size == 0:
            return SourceError(f"{path} is empty", "copy it again")
        return SourceError(
            f"{path} is not a video, or its beginning or end is missing",
            "play it in a video player to check, and copy it again",
        )

    def _readable(
        self, container: InputContainer, reader: FrameReader, times: PresentationTimes
    ) -> Iterator[VideoFrame]:
        """Yield decoded frames until the video ends or breaks off; log one warning if something was lost."""
        last = None
        try:
            for frame in reader:
                if frame is not None:
                    last = frame
                    yield frame
        except unreadable():
            reader.damaged += 1
        if last is None:
            raise SourceError(
                f"no frame of {self._address.path} can be decoded", "it is damaged or not finished; copy it again"
            )
        self._warn_if_cut_short(container, reader.damaged, last, times.seams)

    def _warn_if_cut_short(self, container: InputContainer, damaged: int, last: VideoFrame, seams: int) -> None:
        """Log a warning if something was lost. At a seam one packet counts as corrupt and the length means nothing."""
        length = _length(container)
        reached = (last.time or 0.0) - _start(container)
        if damaged > seams or (not seams and reached < 0.9 * length - 0.5):
            of = f" of {length:.1f} s" if length > reached else ""  # a container's own claim may be false, or missing
            log.warning("%s is damaged or cut short: read to %.1f s%s", self._address.path, reached, of)


def _length(container: InputContainer) -> float:
    """Return the seconds that ``container`` claims to last from its first frame on; 0 if it does not say."""
    length = (container.duration or 0) / 1e6  # FFmpeg counts it in microseconds
    # Matroska counts to the end of the last frame from 0, however late the first one is.
    return max(0.0, length - _start(container)) if "matroska" in container.format.name else length


def _start(container: InputContainer) -> float:
    return (container.start_time or 0) / 1e6
