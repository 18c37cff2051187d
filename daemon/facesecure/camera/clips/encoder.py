"""Encode video that phones do not play, such as a USB camera's JPEG, as H.264: by the board's encoder or by x264."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, cast

from facesecure.camera.clips.packets import StoredPacket, StreamFormat
from facesecure.camera.sources.frame_limits import CODEC_OPTIONS

if TYPE_CHECKING:
    from av import VideoCodecContext, VideoFrame

ENCODERS: dict[str, dict[str, str]] = {
    "h264_v4l2m2m": {},
    "libx264": {"preset": "superfast", "tune": "zerolatency", "crf": "26"},
    "libopenh264": {},
}
"""Encoders in the order in which they are tried, with their options. The first is in hardware, as on a Raspberry Pi 4.

``zerolatency``: no frame is reordered, so that what has been encoded at a kill can be played."""
_BIT_RATE = 2_000_000
_KEY_INTERVAL = 20
_RATE = 10

_log = logging.getLogger(__name__)


class Transcoder:
    """Decodes the packets of one connection and encodes them as H.264 (Annex B, with parameter sets at key frames).

    Example::

        for packet in Transcoder(packet.format).packets(packet):
            ...
    """

    def __init__(self, stream: StreamFormat) -> None:
        """Open the decoder. Raises one of PyAV's errors if FFmpeg has none."""
        import av

        self._decoder = cast("VideoCodecContext", av.CodecContext.create(stream.codec, "r"))
        self._decoder.options = dict(CODEC_OPTIONS)
        if stream.extradata:
            self._decoder.extradata = stream.extradata
        self._decoder.width, self._decoder.height = stream.width, stream.height
        if stream.pixel_format and stream.codec == "rawvideo":
            self._decoder.pix_fmt = stream.pixel_format
        self._aspect = stream.pixel_aspect
        self._base = stream.time_base
        self._encoder: VideoCodecContext | None = None
        self._last = -1

    def packets(self, packet: StoredPacket) -> Iterator[StoredPacket]:
        """Yield what ``packet`` becomes: usually one packet. One that cannot be decoded is left out."""
        import av

        coded = av.Packet(packet.data)
        coded.pts, coded.dts, coded.time_base = packet.pts, packet.dts, packet.format.time_base
        try:
            frames = self._decoder.decode(coded)
        except av.InvalidDataError:
            return
        for frame in frames:
            yield from self._encoded(frame, packet)

    def finish(self, last: StoredPacket) -> Iterator[StoredPacket]:
        """Yield what the encoder still holds."""
        if self._encoder is not None:
            for coded in self._encoder.encode(None):
                yield _stored(bytes(coded), coded.pts or 0, coded.dts or 0, coded.is_keyframe, last)

    def _encoded(self, frame: VideoFrame, packet: StoredPacket) -> Iterator[StoredPacket]:
        frame.pts = max(self._last + 1, packet.pts if frame.pts is None else frame.pts)
        frame.time_base, self._last = self._base, frame.pts
        if self._encoder is None:
            self._encoder = opened_encoder(frame.width, frame.height, self._base, self._aspect)
        if (frame.width, frame.height) != (self._encoder.width, self._encoder.height):
            return
        plain = frame.reformat(format="yuv420p", dst_color_range="MPEG")
        plain.pts, plain.time_base = frame.pts, self._base
        plain.pict_type = 0
        for coded in self._encoder.encode(plain):
            yield _stored(bytes(coded), coded.pts or 0, coded.dts or 0, coded.is_keyframe, packet)


def opened_encoder(width: int, height: int, time_base: Fraction, aspect: Fraction | None = None) -> VideoCodecContext:
    """Return the first encoder of H.264 that works here, ready. Raises LookupError if there is none."""
    import av

    for name, options in ENCODERS.items():
        try:
            encoder = cast("VideoCodecContext", av.CodecContext.create(name, "w"))
            encoder.width, encoder.height, encoder.pix_fmt = width // 2 * 2, height // 2 * 2, "yuv420p"
            encoder.time_base, encoder.framerate = time_base, Fraction(_RATE)
            encoder.gop_size, encoder.max_b_frames, encoder.options = _KEY_INTERVAL, 0, options
            encoder.thread_count = 1
            if name != "libx264":
                encoder.bit_rate = _BIT_RATE
            if aspect:
                encoder.sample_aspect_ratio = aspect
            encoder.open()
        except (av.FFmpegError, ValueError) as error:
            _log.debug("the encoder %s does not work here: %s", name, error)
            continue
        return encoder
    raise LookupError("FFmpeg has no encoder of H.264 that works here")


def _stored(data: bytes, pts: int, dts: int, key: bool, source: StoredPacket) -> StoredPacket:
    return StoredPacket(data, pts, dts, key, source.at, source.number, source.format)
