"""Films of every kind that cameras send, rings filled from them, and what a written film holds."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av

from facesecure.camera.clips.packet_ring import PacketRing
from facesecure.camera.clips.playable import write_mp4
from facesecure.camera.sources import open_source
from facesecure.config import CameraConfig
from support.camera.sources import scene

RATE = 10
KEY_INTERVAL = 10


def camera_video(
    path: Path,
    codec: str = "libx264",
    seconds: float = 6.0,
    *,
    b_frames: int = 0,
    aspect: Fraction | None = None,
    rotation: int | None = None,
    size: tuple[int, int] = (160, 120),
) -> Path:
    """Write what a camera would send: a key frame every second, ``RATE`` frames a second."""
    options = {"libx264": {"bf": str(b_frames)}, "libx265": {"x265-params": "log-level=none"}}.get(codec, {})
    with av.open(str(path), "w") as container:
        stream = cast("Any", container.add_stream(codec, rate=RATE, options=options))
        stream.width, stream.height = size
        stream.pix_fmt = {"mjpeg": "yuvj420p", "rawvideo": "yuyv422"}.get(codec, "yuv420p")
        stream.codec_context.gop_size = KEY_INTERVAL
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for number in range(round(seconds * RATE)):
            frame = av.VideoFrame.from_ndarray(scene(number, size), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def filled(video: Path, reach: float = 60.0, **how: Any) -> PacketRing:
    """Return the ring of a camera that has sent the whole of ``video``, and been closed."""
    ring = PacketRing(reach, recorded=True, **how)
    for _ in open_source(str(video), CameraConfig(), tap=ring).frames():
        pass
    return ring


@dataclass(frozen=True)
class Played:
    """A film as a player sees it."""

    codec: str
    tag: str
    seconds: float
    frames: int
    first: float
    aspect: Fraction | None
    rotation: int
    size: tuple[int, int]


def played(data: bytes) -> Played:
    """Decode the whole of a film."""
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.video[0]
        codec = stream.codec_context
        frames = [frame for packet in container.demux(stream) for frame in _decoded(packet)]
        assert stream.duration is not None
        assert stream.time_base is not None
        return Played(
            codec.name,
            str(codec.codec_tag),
            float(stream.duration * stream.time_base),
            len(frames),
            frames[0].time,
            stream.sample_aspect_ratio,
            frames[0].rotation,
            (frames[0].width, frames[0].height),
        )


def _decoded(packet: Any) -> list[av.VideoFrame]:
    """Decode a packet as players do, which skip what is damaged."""
    try:
        return list(packet.decode())
    except av.InvalidDataError:
        return []


def boxes(data: bytes) -> list[str]:
    """Return the kinds of the boxes of an MP4, at its top (ISO 14496-12, 4.2)."""
    kinds, place = list[str](), 0
    while place + 8 <= len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        kinds.append(data[place + 4 : place + 8].decode("latin-1"))
        place += size
    return kinds


def mp4_of(film: Iterable[bytes]) -> bytes:
    """Return the playable file of a film."""
    pieces, file = list(film), io.BytesIO()
    write_mp4(lambda: pieces, file)
    return file.getvalue()
