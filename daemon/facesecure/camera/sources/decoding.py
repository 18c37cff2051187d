"""Decode video with PyAV (FFmpeg), for files and cameras, and explain its errors.

PyAV's error texts hold the URL with its password, so they are never passed on; errors are raised ``from None`` for
the same reason.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from facesecure.camera.sources.frame_limits import CODEC_OPTIONS, check_codec, check_failed
from facesecure.camera.sources.tap import NO_TAP, PacketTap
from facesecure.camera.sources.uri import Address
from facesecure.domain.errors import SourceError
from facesecure.util import callers_files

RATES = (1 / 3600, 1000.0)
"""Frames per second that are believed."""
_CHOOSE_H264 = "choose H.264 in the camera's settings"

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream


def open_container(location: str | Path, **how: Any) -> InputContainer:
    """Open ``location`` as ``av.open`` does, whatever the bytes of its title are. Raises one of ``unreadable()``.

    No decoder with which FFmpeg looks what is in it takes larger frames than ``frame_limits`` allows.
    """
    import av

    found = callers_files.opened(location) if isinstance(location, Path) else None
    options = {**how.pop("options", {}), **CODEC_OPTIONS}
    container: InputContainer = av.open(found or str(location), "r", metadata_errors="replace", options=options, **how)
    return container


def unreadable() -> tuple[type[Exception], ...]:
    """Return the errors by which PyAV says that a container or stream cannot be read.

    FFmpeg's own errors, and those of PyAV's conversions of what it finds: text, numbers, and sizes beyond all sense.
    """
    import av

    return (av.FFmpegError, ValueError, LookupError, ArithmeticError, MemoryError, RuntimeError)


def video_stream(container: InputContainer, address: Address, threads: int) -> VideoStream:
    """Return the first video stream of ``container``, set to decode on ``threads`` threads (0: as FFmpeg likes).

    Raises SourceError if there is none, none with a decoder, or one with larger frames than are decoded.
    """
    if not container.streams.video:
        raise SourceError(f"{address} has no video in it", "choose a file or stream with video")
    # PyAV has no codec context where FFmpeg has no decoder, which its type does not say.
    decodable = [stream for stream in container.streams.video if getattr(stream, "codec_context", None) is not None]
    if not decodable:
        raise SourceError(
            f"{address} holds video of a kind that cannot be decoded, or its header is damaged",
            "convert it to H.264, or copy it again" if address.scheme == "file" else _CHOOSE_H264,
        )
    stream = decodable[0]
    check_codec(stream.codec_context, str(address))
    stream.codec_context.thread_count = threads
    stream.thread_type = "NONE" if threads == 1 else "AUTO"
    return stream


def frame_rate(stream: VideoStream) -> float:
    """Return the frames per second that ``stream`` states, 0 if it states none that can be believed."""
    rates = (float(rate or 0) for rate in (stream.average_rate, stream.guessed_rate))
    return next((rate for rate in rates if RATES[0] <= rate <= RATES[1]), 0.0)


class PixelAspect:
    """The width of a stream's pixels, in heights: 2 for many recorders, 1 where it says nothing.

    What the container states holds for the whole stream. What the video itself states may come with its first key
    frame only, and change: a recorder was set to another resolution. Example::

        aspect = PixelAspect(stream)
        aspect.now()  # after each frame
    """

    def __init__(self, stream: VideoStream) -> None:
        """Use ``stream`` before its first frame is decoded."""
        self._codec = stream.codec_context
        stated = stream.sample_aspect_ratio
        self._stated = stated if stated != self._codec.sample_aspect_ratio else None

    def now(self) -> float:
        """Return the width of the pixels of the frame that was decoded last."""
        return float(self._stated or self._codec.sample_aspect_ratio or 1)


class FrameReader:
    """Decodes the frames of one stream, in order. ``damaged`` counts the corrupt packets and frames, which it drops.

    ``key_frame`` is True as soon as a packet with a key frame has come; before that nothing can be decoded. ``resting``
    says that packets are left out on purpose now (``idle_decoding``).
    """

    def __init__(self, container: InputContainer, stream: VideoStream, name: str, tap: PacketTap = NO_TAP) -> None:
        """``name`` is what an error calls it. ``tap`` receives every packet before it is decoded."""
        self._container = container
        self._tap = tap
        self._stream = stream
        self._name = name
        # Joined between two key frames, this decoder gives grey images in which only edges move; others give none.
        self._blind = stream.codec_context.codec.name == "mpeg4"
        self.damaged = 0
        self.key_frame = False
        self.resting = False

    def __iter__(self) -> Iterator[VideoFrame | None]:
        """Yield each good frame, and None for each packet without one, so that a caller can check for a time-out.

        Raises one of ``unreadable()`` when the container cannot be read further, and SourceLost where its frames
        become larger than are decoded.
        """
        for packet in self._container.demux(self._stream):
            self._receive(packet)
            good: list[VideoFrame | None] = [*self._whole(packet)]
            yield from good or [None]

    def _receive(self, packet: Packet[VideoStream]) -> None:
        """Take note of the next packet of the stream."""
        self.damaged += packet.is_corrupt
        self.key_frame |= packet.is_keyframe
        self._tap.packet(packet)

    def _whole(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        """Return the good frames that come of ``packet``; of None, those that the decoder still holds."""
        return [frame for frame in self._decode(packet) if self._is_whole(frame)]

    def _is_whole(self, frame: VideoFrame) -> bool:
        self._blind &= not frame.key_frame
        return not (self._blind or frame.is_corrupt)

    def _decode(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        import av

        try:
            frames = self._stream.decode(packet)
        except (av.InvalidDataError, av.ArgumentError) as error:
            check_failed(self._stream.codec_context, error, self._name)
            if isinstance(error, av.ArgumentError):
                raise
            self.damaged += 1
            return []
        self.damaged += sum(frame.is_corrupt for frame in frames)
        for frame in frames:
            frame.time_base = frame.time_base or self._stream.time_base  # PyAV forgets it where it drains a decoder
        return frames


def explain(error: Exception, address: Address, timed_out: bool = False) -> tuple[str, str]:
    """Return (message, hint) for one of ``unreadable()`` from a live source at ``address``, without secrets."""
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

    other_transport = "close its other viewers, or set [camera] transport to the other of tcp and udp"
    unsupported = getattr(error, "errno", None) == errno.EPROTONOSUPPORT  # the camera answers 461
    if unsupported or isinstance(error, av.HTTPClientError):
        return f"{address}: the camera answers, but refuses to send its stream", other_transport
    if isinstance(error, av.HTTPServerError):
        return (
            f"{address}: the camera answers with an error of its own",
            "restart the camera; it may have too many viewers",
        )
    network = address.scheme.startswith("rtsp")
    hung_up = isinstance(error, EOFError | ConnectionResetError | BrokenPipeError)
    if hung_up or (network and isinstance(error, PermissionError)):  # so FFmpeg calls no answer to PLAY
        return f"{address} hangs up while connecting", other_transport
    if isinstance(error, PermissionError):
        return (
            f"this user may not open {address}",
            "add the user to the group `video`, or start facesecure as its service",
        )
    if isinstance(error, av.InvalidDataError) and network:  # FFmpeg does not tell them apart
        return f"{address} hangs up while connecting, or does not send video that can be read", (
            f"{other_transport}; or {_CHOOSE_H264}"
        )
    if isinstance(error, av.InvalidDataError) or not isinstance(error, av.FFmpegError | OSError):
        return f"{address} does not send video that can be read", _CHOOSE_H264
    if getattr(error, "errno", None) == 16:
        return f"{address} is in use by another program", "close that program; `fuser -v /dev/video0` lists it"
    if isinstance(error, FileNotFoundError) or getattr(error, "errno", None) == 19:
        return f"{address} does not exist", "is the camera plugged in?"
    host = urlsplit(address.location).hostname if network else None
    reason = getattr(error, "strerror", None) or type(error).__name__
    return (
        f"{address} cannot be reached ({reason})",
        f"does `ping {host}` answer?" if host else "unplug the camera and plug it in again",
    )
