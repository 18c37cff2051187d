"""Packets of a video stream and the stream's format, as copies that outlive the connection they came from."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av import Packet
    from av.container import OutputContainer
    from av.video.stream import VideoStream

COPIED = frozenset(("h264", "hevc"))
"""Codecs that phones play in MP4: their packets are kept as they are. Others are decoded and encoded as H.264."""
TICKS = 90_000
"""Times of images without packets, in a second."""


@dataclass(frozen=True, slots=True, eq=False)
class StreamFormat:
    """What is needed to write or decode the packets of one connection.

    ``codec`` is FFmpeg's name of the decoder, ``extradata`` its parameter sets. ``template`` is a copy of the stream,
    with its display matrix, for H.264 and HEVC only; ``owner`` keeps it alive.
    """

    codec: str
    time_base: Fraction
    width: int
    height: int
    pixel_format: str | None = None
    pixel_aspect: Fraction | None = None
    extradata: bytes = b""
    template: VideoStream | None = None
    owner: OutputContainer | None = None

    @classmethod
    def of(cls, stream: VideoStream) -> StreamFormat:
        """Copy the format of ``stream``, which may be closed afterwards. Raises one of PyAV's errors."""
        codec = stream.codec_context
        owner, template = _detached(stream) if codec.name in COPIED else (None, None)
        return cls(
            codec.name,
            Fraction(stream.time_base or Fraction(1, TICKS)),
            codec.width,
            codec.height,
            codec.pix_fmt,
            stream.sample_aspect_ratio or codec.sample_aspect_ratio,
            bytes(codec.extradata or b""),
            template,
            owner,
        )

    @classmethod
    def of_images(cls, width: int, height: int) -> StreamFormat:
        """Return the format of images that are kept as JPEG."""
        return cls("mjpeg", Fraction(1, TICKS), width, height, "yuvj420p")


def _detached(stream: VideoStream) -> tuple[OutputContainer, VideoStream]:
    """Return a copy of ``stream`` in a file that is never written, so that it outlives its connection."""
    import av

    owner = av.open(io.BytesIO(), "w", format="mp4")
    return owner, owner.add_stream_from_template(stream)


@dataclass(frozen=True, slots=True, eq=False)
class StoredPacket:
    """One packet: ``pts`` and ``dts`` in the format's time base, ``at`` in seconds on the clock of the frames.

    ``number`` counts the packets of all connections; a gap means that some were dropped.
    """

    data: bytes
    pts: int
    dts: int
    key: bool
    at: float
    number: int
    format: StreamFormat

    @classmethod
    def of(cls, packet: Packet[Any], at: float, number: int, stream: StreamFormat, follows: int) -> StoredPacket:
        """Copy ``packet``. One without times, as the first of a network camera may be, gets ``follows``."""
        known = [time for time in (packet.dts, packet.pts) if time is not None]
        dts = known[0] if known else follows
        pts = packet.pts if packet.pts is not None else dts
        return cls(bytes(packet), pts, dts, packet.is_keyframe, at, number, stream)
