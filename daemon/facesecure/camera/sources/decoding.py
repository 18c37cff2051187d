"""Decode video with PyAV (FFmpeg), for files and cameras, and explain its errors.

PyAV's error texts hold the URL with its password, so they are never passed on; errors are raised ``from None`` for
the same reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from facesecure.camera.sources.uri import Address
from facesecure.domain.errors import SourceError

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream


def video_stream(container: InputContainer, address: Address, threads: int) -> VideoStream:
    """Return the first video stream of ``container``, set to decode on ``threads`` threads (0: as FFmpeg likes).

    Raises SourceError if there is none.
    """
    if not container.streams.video:
        raise SourceError(f"{address} has no video in it", "choose a file or stream with video")
    stream = container.streams.video[0]
    stream.codec_context.thread_count = threads
    stream.thread_type = "NONE" if threads == 1 else "AUTO"
    return stream


class FrameReader:
    """Decodes the frames of one stream, in order. ``damaged`` counts the corrupt packets and frames, which it drops."""

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._container = container
        self._stream = stream
        self.damaged = 0

    def __iter__(self) -> Iterator[VideoFrame | None]:
        """Yield each good frame, and None for each packet without one, so that a caller can check for a time-out.

        Raises av.FFmpegError when the container cannot be read further.
        """
        for packet in self._container.demux(self._stream):
            self.damaged += packet.is_corrupt
            good: list[VideoFrame | None] = [frame for frame in self._decode(packet) if not frame.is_corrupt]
            yield from good or [None]

    def _decode(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        import av

        try:
            frames = packet.decode()
        except av.InvalidDataError:
            self.damaged += 1
            return []
        self.damaged += sum(frame.is_corrupt for frame in frames)
        return frames


def explain(error: Exception, address: Address, timed_out: bool = False) -> tuple[str, str]:
    """Return (message, hint) for an av.FFmpegError of a live source at ``address``, without secrets."""
    import av

    refused = (av.HTTPUnauthorizedError, av.HTTPForbiddenError)
    if isinstance(error, refused):
        return (
            f"{address} refuses the user name or password",
            "check them in the source's address; write %40 for @, %3A for : and %2F for /",
        )
    if isinstance(error, av.HTTPNotFoundError):
        return (
            f"{address}: the camera answers, but has no stream of that name",
            "look up the stream's path in the camera's manual",
        )
    if isinstance(error, ConnectionRefusedError):
        return f"{address}: nothing answers on that port", "is RTSP switched on in the camera, and is the port right?"
    if timed_out or isinstance(error, av.ExitError | TimeoutError):
        return f"{address} does not answer in time", "is the camera switched on and on this network?"
    return _explain_rest(error, address)


def _explain_rest(error: Exception, address: Address) -> tuple[str, str]:
    import av

    if isinstance(error, PermissionError):
        return (
            f"this user may not open {address}",
            "add the user to the group `video`, or start facesecure as its service",
        )
    if isinstance(error, av.InvalidDataError):
        return f"{address} does not send video that can be read", "try H.264 in the camera's settings"
    if getattr(error, "errno", None) == 16:
        return f"{address} is in use by another program", "close that program; `fuser -v /dev/video0` lists it"
    if isinstance(error, FileNotFoundError) or getattr(error, "errno", None) == 19:
        return f"{address} does not exist", "is the camera plugged in?"
    host = urlsplit(address.location).hostname if address.scheme.startswith("rtsp") else None
    reason = getattr(error, "strerror", None) or type(error).__name__
    return (
        f"{address} cannot be reached ({reason})",
        f"does `ping {host}` answer?" if host else "unplug the camera and plug it in again",
    )
