"""Write packets as a fragmented MP4 (ISO 14496-12, 8.8): its beginning can be played whenever the writing stops."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING

from facesecure.camera.clips.encoder import Transcoder
from facesecure.camera.clips.packets import COPIED, StoredPacket
from facesecure.camera.clips.parameter_sets import is_empty, parameter_sets
from facesecure.camera.sources.frame_limits import CODEC_OPTIONS
from facesecure.domain.errors import SourceError

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

_FRAGMENT = "1000000"
"""Microseconds of one fragment, so much is lost at most when the process is killed."""
_OPTIONS = {"movflags": "empty_moov+default_base_moof", "frag_duration": _FRAGMENT}
HEVC_TAG = "hvc1"
"""The tag by which Apple's players know HEVC; FFmpeg's own is hev1."""
_JUMP = 10.0
"""Seconds between two packets beyond which the stream's times have jumped."""


class FormatChangedError(SourceError):
    """The camera sends another size or profile than when the film began: a film has one format."""


class Timeline:
    """Makes the times of a film: they begin at 0, and the order of decoding strictly rises, across jumps.

    Example::

        pts, dts = Timeline(Fraction(1, 90000)).of(packet)
    """

    def __init__(self, time_base: Fraction) -> None:
        self._step = max(1, round(Fraction(1, 25) / time_base))
        self._jump = round(_JUMP / time_base)
        self._offset: int | None = None
        self._last = -1

    def of(self, packet: StoredPacket) -> tuple[int, int]:
        """Return (pts, dts) of ``packet`` in the film, in the stream's time base."""
        if self._offset is None:
            self._offset = packet.dts
        dts = packet.dts - self._offset
        if not self._last - self._jump <= dts <= self._last + self._jump:
            self._offset = packet.dts - self._last - self._step
            dts = packet.dts - self._offset
        delay = max(0, packet.pts - packet.dts)
        self._last = dts = max(dts, self._last + 1)
        return dts + min(delay, self._jump), dts


class FilmMuxer:
    """Writes the packets of one connection, from a key frame on; others than H.264 and HEVC are encoded as H.264.

    ``seconds`` is the length so far, ``frames`` counts the packets. Example::

        film = FilmMuxer(file.write)
        film.add(packet)
        film.close()
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        """``write`` receives the bytes of the film in order; what it raises comes out of ``add`` and ``close``."""
        self._write = write
        self._output: OutputContainer | None = None
        self._first: StoredPacket | None = None
        self._sets = b""
        self._shown_from = 0
        self._waiting = self._leading = True
        self.frames, self.seconds = 0, 0.0

    def add(self, packet: StoredPacket) -> None:
        """Write ``packet``; ignore those before the first key frame. Raises FormatChangedError, or one of PyAV's."""
        if self._waiting and not packet.key:
            return
        self._waiting = False
        if self._first is None:
            self._first, self._shown_from = packet, packet.pts
            self._transcoder = None if packet.format.codec in COPIED else Transcoder(packet.format)
            self._timeline = Timeline(packet.format.time_base)
        if packet.format is not self._first.format:
            raise FormatChangedError("the camera has connected again", "a film has one connection")
        if self._transcoder is None:
            self._copy(packet)
            return
        for coded in self._transcoder.packets(packet):
            self._copy(coded)

    def miss(self) -> None:
        """Learn that packets are missing: what follows them is written from the next key frame on."""
        self._waiting = True

    def close(self) -> None:
        """Write the end."""
        output, self._output = self._output, None
        if output is None or self._first is None:
            return
        if self._transcoder is not None:
            self._output = output
            for coded in self._transcoder.finish(self._first):
                self._copy(coded)
            self._output = None
        output.close()

    def abandon(self) -> None:
        """Release everything after an error; what was written stays as it is."""
        output, self._output = self._output, None
        if output is not None:
            self._write = _nowhere
            with suppress(Exception):
                output.close()

    def _copy(self, packet: StoredPacket) -> None:
        import av

        codec = "h264" if self._transcoder else packet.format.codec
        sets = parameter_sets(packet.data, codec) if packet.key else b""
        if self._output is None:
            self._output = self._opened(packet, codec, sets)
        if self._is_leading(packet):
            return
        if sets and self._sets and sets != self._sets:
            raise FormatChangedError("the camera's video has changed its format", "a film has one format")
        self._sets = sets or self._sets
        if self._byte_stream and is_empty(packet.data):
            self._waiting = True
            return
        coded = av.Packet(packet.data)
        coded.pts, coded.dts = self._timeline.of(packet)
        coded.time_base, coded.is_keyframe = packet.format.time_base, packet.key
        coded.stream = self._stream
        try:
            self._output.mux_one(coded)
        except av.InvalidDataError:  # damaged on its way
            self._waiting = True
            return
        self.frames += 1
        self.seconds = max(self.seconds, float(coded.pts * packet.format.time_base))

    def _is_leading(self, packet: StoredPacket) -> bool:
        """Return whether ``packet`` is shown before the key frame with which the film begins, and needs others."""
        self._leading &= packet is self._first or packet.pts < self._shown_from
        return self._leading and packet is not self._first and self._transcoder is None

    def _opened(self, packet: StoredPacket, codec: str, sets: bytes) -> OutputContainer:
        """Open the film, with the parameter sets of its first packet, or of the stream if the packet has none."""
        import av

        self._sets = sets
        output = av.open(_Sink(lambda data: self._write(data)), "w", format="mp4", options=_OPTIONS)
        probe = _probe(packet.data, codec) if sets else None
        template = probe.streams.video[0] if probe else packet.format.template
        if template is None:
            raise SourceError("this stream does not state its format", "restart the camera, or choose H.264")
        self._stream = output.add_stream_from_template(template)
        self._byte_stream = not bytes(self._stream.codec_context.extradata or b"").startswith(b"\x01")
        self._stream.time_base = packet.format.time_base
        if codec == "hevc":
            self._stream.codec_context.codec_tag = HEVC_TAG
        if packet.format.pixel_aspect:
            self._stream.codec_context.sample_aspect_ratio = packet.format.pixel_aspect
        output.start_encoding()
        if probe:
            probe.close()
        return output


def _probe(data: bytes, codec: str) -> InputContainer | None:
    """Open one packet of a byte stream, which holds its parameter sets, as a file; None if it is damaged."""
    import av

    try:
        container = av.open(io.BytesIO(data), "r", format=codec, options=dict(CODEC_OPTIONS))
    except (av.FFmpegError, ValueError):
        return None
    return container if container.streams.video else None


class _Sink:
    """A file for PyAV that can only be written."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def write(self, data: bytes) -> int:
        """Pass ``data`` on."""
        self._write(data)
        return len(data)


def _nowhere(data: bytes) -> None:
    """Drop ``data``."""
