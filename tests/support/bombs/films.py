"""Films of some kB whose frames are larger than any camera's."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, cast

import av

LARGE = (8192, 4608)
"""Width and height: 38 megapixels, more than 8K video has."""
_QUICK = {"libx264": {"preset": "ultrafast"}, "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"}}


def film(path: Path, size: tuple[int, int], codec: str = "libx264", frames: int = 2) -> Path:
    """A black film of that size."""
    with av.open(str(path), "w") as container:
        stream = cast("Any", container.add_stream(codec, rate=5))
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = _QUICK.get(codec, {})
        frame = av.VideoFrame(*size, stream.pix_fmt)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for number in range(frames):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def small_in_its_header(path: Path) -> Path:
    """An MP4 whose tables say 320x240, and whose codec's own data say another size."""
    data = bytearray(film(path, LARGE).read_bytes())
    struct.pack_into(">HH", data, data.index(b"avc1", data.index(b"stsd")) + 28, 320, 240)
    struct.pack_into(">II", data, data.index(b"tkhd") + 80, 320 << 16, 240 << 16)
    path.write_bytes(data)
    return path


def grows(path: Path) -> Path:
    """A stream whose frames are small for longer than FFmpeg looks ahead, and then large."""
    small, large = (path.with_name(f"{name}.ts") for name in ("small", "large"))
    path.write_bytes(film(small, (320, 240), frames=60).read_bytes() + film(large, LARGE).read_bytes())
    return path


def wide_pixels(path: Path) -> Path:
    """A film of 30 megapixels whose pixels are four times as wide as high: shown, it has 120."""
    with av.open(str(path), "w") as container:
        stream = cast("Any", container.add_stream("libx264", rate=5))
        stream.width, stream.height, stream.pix_fmt = 6912, 4320, "yuv420p"
        stream.options, stream.sample_aspect_ratio = {"preset": "ultrafast"}, 4
        frame = av.VideoFrame(6912, 4320, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
