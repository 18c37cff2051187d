"""Turn a film as it is written, in fragments, into an MP4 that every player opens and that begins to play at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from typing import IO, TYPE_CHECKING, Any

from facesecure.camera.clips.muxer import HEVC_TAG
from facesecure.camera.sources.frame_limits import CODEC_OPTIONS
from facesecure.domain.errors import SourceError

if TYPE_CHECKING:
    from av.container import InputContainer

_HEAD = 16_384
_OF_FRAME = 48
"""Bytes of the index for one frame at most: its size, place, times, and whether it is a key frame."""


def write_mp4(film: Callable[[], Iterable[bytes]], file: IO[bytes]) -> float:
    """Write the film whose bytes ``film`` returns to ``file``, which can be sought; return its length in seconds.

    The index comes first (moov before mdat), and nothing is encoded anew. ``film`` is called twice. A film that breaks
    off is written as far as it goes. Raises SourceError if nothing of it can be played.
    """
    import av

    frames = sum(1 for _ in _packets(film))
    if not frames:
        raise SourceError("nothing of this film can be played", "the camera was lost before its first key frame")
    begins, seconds = None, 0.0
    with ExitStack() as stack:
        source = stack.enter_context(_opened(film))
        stream = source.streams.video[0]
        room = _HEAD + 2 * len(stream.codec_context.extradata or b"") + _OF_FRAME * frames
        target = stack.enter_context(av.open(file, "w", format="mp4", options={"moov_size": str(room)}))
        copy = target.add_stream_from_template(stream)
        if stream.codec_context.name == "hevc":
            copy.codec_context.codec_tag = HEVC_TAG
        for packet in _good(source):
            begins = packet.pts if begins is None else begins
            packet.pts, packet.dts = packet.pts - begins, packet.dts - begins
            seconds = max(seconds, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            packet.stream = copy
            with suppress(av.InvalidDataError):  # damaged when the camera sent it
                target.mux_one(packet)
    return seconds


def _packets(film: Callable[[], Iterable[bytes]]) -> Iterator[Any]:
    import av

    try:
        source = _opened(film)
    except (av.FFmpegError, ValueError, LookupError):
        return
    with source:
        yield from _good(source)


def _good(source: InputContainer) -> Iterator[Any]:
    """Yield the packets up to the end, or to where the film breaks off."""
    import av

    if not source.streams.video:
        return
    try:
        for packet in source.demux(source.streams.video[0]):
            if packet.size and not packet.is_corrupt and None not in (packet.pts, packet.dts):
                yield packet
    except (av.FFmpegError, ValueError):
        return


def _opened(film: Callable[[], Iterable[bytes]]) -> InputContainer:
    import av

    return av.open(_Stream(film()), "r", format="mp4", options=dict(CODEC_OPTIONS))


class _Stream:
    """A file for PyAV that can only be read, from pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, none at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        data, self._rest = self._rest[:size], self._rest[size:]
        return data
