"""Connect to network cameras (RTSP) and USB cameras (V4L2) with PyAV."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from facesecure.camera.sources.base import LateImage, ProbeResult
from facesecure.camera.sources.decoding import (
    FrameReader,
    PixelAspect,
    explain,
    frame_rate,
    open_container,
    unreadable,
    video_stream,
)
from facesecure.camera.sources.frame_limits import checked_image
from facesecure.camera.sources.idle_decoding import IdleDecoding, SparseReader
from facesecure.camera.sources.tap import NO_TAP, PacketTap, tapped
from facesecure.camera.sources.uri import Address
from facesecure.config import CameraConfig
from facesecure.domain.errors import SourceError, SourceLost
from facesecure.vision.images.display import Display, StreamDisplay
from facesecure.vision.images.frames import ColourConverter, VideoImage

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

log = logging.getLogger(__name__)

Opener = Callable[[Address, CameraConfig], "InputContainer"]

KEY_FRAME_WAIT = 60.0
"""Seconds to wait, while data comes, for the first key frame: "smart" H.264 has one in 5 to 20 s, and some fewer."""


def open_rtsp(address: Address, camera: CameraConfig) -> InputContainer:
    """Connect to a network camera, video without sound. Raises one of ``unreadable()``."""
    # Not "fflags nobuffer": it drops what FFmpeg reads to know the stream, and with that the first key frame.
    options = {
        # TCP by default: UDP loses packets on home Wi-Fi, and every lost one smears the image.
        "rtsp_transport": camera.transport,
        "allowed_media_types": "video",
        "analyzeduration": "2000000",  # microseconds at most; FFmpeg's own is five seconds
        "fpsprobesize": "0",  # the stream's description states the rate: connecting takes 0.5 s instead of 1.5 s
    }
    return open_container(address.location, options=options, timeout=camera.timeout)


def open_v4l2(address: Address, camera: CameraConfig) -> InputContainer:
    """Open a USB camera, as MJPEG where it can (raw video of that size is slow on USB 2).

    Raises one of ``unreadable()``.
    """
    import av

    wish = {"video_size": f"{camera.width}x{camera.height}", "framerate": f"{camera.fps:g}"}
    for options in ({**wish, "input_format": "mjpeg"}, wish):
        try:
            return open_container(address.location, format="v4l2", options=options, timeout=camera.timeout)
        except (av.ArgumentError, av.InvalidDataError) as error:
            log.debug("%s does not support %s: %s", address, options, error.strerror)
    return open_container(address.location, format="v4l2", timeout=camera.timeout)


class StreamConnection:
    """A camera that FFmpeg reads. An end, an error or ``camera.timeout`` seconds without an image is a loss.

    Only the first image may take longer: until a key frame comes, which is up to the camera.

    Example::

        source = LiveSource(StreamConnection(address, camera, open_rtsp), camera.reconnect_max, patient=True)
    """

    def __init__(
        self,
        address: Address,
        camera: CameraConfig,
        opener: Opener,
        *,
        threads: int = 1,
        tap: PacketTap = NO_TAP,
        idle: IdleDecoding | None = None,
    ) -> None:
        """Open nothing yet. ``opener`` opens the container of ``address``; ``threads`` decode (0: as FFmpeg likes).

        ``tap`` receives the packets of ``images``; with ``idle`` not all of them are decoded.
        """
        self._address = address
        self._camera = camera
        self._open = opener
        self._threads = threads
        self._tap = tap
        self._idle = idle
        self._reader: FrameReader | None = None

    def __str__(self) -> str:
        return self._address.shown

    @property
    def resting(self) -> bool:
        """Whether packets are left out now, since nothing moves."""
        return self._reader is not None and self._reader.resting

    def images(self, stopped: threading.Event) -> Generator[VideoImage | LateImage | None]:
        """Yield images until ``stopped`` is set, and None for data without one.

        Raises SourceError if it does not open, SourceLost after that.
        """
        converter, display = ColourConverter(), StreamDisplay()
        with self._opened() as (container, stream), tapped(self._tap, stream):
            aspect = PixelAspect(stream)

            def image_of(frame: VideoFrame) -> VideoImage:
                return checked_image(frame, converter, display.of(frame, aspect.now()), str(self))

            reader = self._reader = self._new_reader(container, stream, image_of)
            try:
                for frame in self._decoded(reader, stream):
                    if stopped.is_set():
                        return
                    if frame is None:
                        yield None
                    elif isinstance(reader, SparseReader) and reader.kept:
                        yield LateImage(image_of(frame), reader.came_at)
                    else:
                        yield image_of(frame)
            finally:
                self._reader = None
        raise SourceLost(f"{self} ended its stream", "it was switched off or restarted, or has too many viewers")

    def probe(self) -> ProbeResult:
        """Open once, decode one image, close. Raises SourceError.

        Takes twice ``camera.timeout`` at most, but ``KEY_FRAME_WAIT`` where data comes without a key frame.
        """
        with self._opened() as (container, stream):
            aspect = PixelAspect(stream)
            for frame in self._decoded(FrameReader(container, stream, str(self)), stream):
                if frame is not None:
                    rate, codec = frame_rate(stream), stream.codec_context.codec.name
                    size = Display.of(frame, aspect.now()).size(frame.width, frame.height)
                    return ProbeResult(*size, rate, f"{codec} from {self}")
        raise SourceLost(f"{self} sent no image", "restart the camera")

    @contextmanager
    def _opened(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        began = time.monotonic()
        try:
            container = self._open(self._address, self._camera)
        except unreadable() as error:
            # FFmpeg reports an interrupted opening in several ways, "invalid data" among them.
            timed_out = time.monotonic() - began >= 0.95 * self._camera.timeout
            raise SourceError(*explain(error, self._address, timed_out)) from None
        with container:
            yield container, video_stream(container, self._address, self._threads)

    def _new_reader(
        self, container: InputContainer, stream: VideoStream, image_of: Callable[[VideoFrame], VideoImage]
    ) -> FrameReader:
        if self._idle is None:
            return FrameReader(container, stream, str(self), self._tap)
        return SparseReader(
            container, stream, str(self), self._idle, lambda frame: image_of(frame).luma(), tap=self._tap
        )

    def _decoded(self, reader: FrameReader, stream: VideoStream) -> Iterator[VideoFrame | None]:
        """Yield frames until the stream ends, None where a packet gave none. Raises SourceLost."""
        import av

        timeout = self._camera.timeout
        began = last = time.monotonic()
        try:
            for frame in reader:
                now = time.monotonic()
                if reader.resting or (not reader.key_frame and now - began <= KEY_FRAME_WAIT):
                    last = now
                if frame is None and now - last > timeout:
                    raise SourceLost(*self._no_image(stream, reader.key_frame))
                yield frame
                if frame is not None:  # after the yield: the reader's own time does not count
                    last = time.monotonic()
        except av.ExitError:
            raise SourceLost(
                f"{self} sent nothing for {timeout:g} s", "is the camera's network connection good?"
            ) from None
        except unreadable() as error:
            raise SourceLost(*explain(error, self._address)) from None

    def _no_image(self, stream: VideoStream, key_frame: bool) -> tuple[str, str]:
        """Return (message, hint) for data that gives no image."""
        codec = stream.codec_context.codec.name
        if not key_frame:
            return (
                f"{self} sends data but no key frame for {KEY_FRAME_WAIT:g} s",
                "set a key frame (I-frame, GOP) every 1 or 2 s in the camera's settings",
            )
        return (
            f"{self} sends data but no image",
            "restart the camera" if codec == "h264" else "restart the camera, or choose H.264 in its settings",
        )
