"""Run the real picamera2 without a Pi, on libcamera's virtual pipeline; loaded by `make test-picamera`.

A pytest plugin (``-p support.camera.virtual_camera``). Real are picamera2 and all of libcamera: finding, opening,
configuring, buffers, requests and their return, time-outs, closing. Replaced is what only a Pi's hardware has:

- memory: a Pi's buffers come from its DMA heap, these from memfd;
- the image processor, which makes any format: the virtual pipeline makes NV12 only, so colours are converted here
  to the requested format, in picamera2's own layout;
- the sensor's clock: the virtual camera delivers as fast as buffers come back, so each is kept for a frame's time;
- two modules that picamera2 imports and a camera without a screen or raw photos never uses.
"""

from __future__ import annotations

import mmap
import os
import sys
import time
from types import ModuleType
from typing import Any

import cv2
import numpy as np

os.environ["LIBCAMERA_PIPELINES_MATCH_LIST"] = "virtual"
os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")

SIZES = [(640, 360), (320, 180)]
"""The sizes in virtual.yaml."""
FRAME_SECONDS = 0.01


def _stand_in(name: str, **names: Any) -> None:
    module = ModuleType(name)
    vars(module).update(names)
    sys.modules[name] = module


class _AnyFormat:
    def __getattr__(self, name: str) -> str:
        return name


_stand_in("pykms", PixelFormat=_AnyFormat())  # draws on a screen
_stand_in("pidng")  # writes raw photos
_stand_in("pidng.camdefs", Picamera2Camera=object)
_stand_in("pidng.core", PICAM2DNG=object)

import libcamera  # noqa: E402
import picamera2  # noqa: E402
import picamera2.picamera2 as implementation  # noqa: E402
from picamera2.allocators.allocator import Allocator, Sync  # noqa: E402
from picamera2.request import CompletedRequest  # noqa: E402


class _Mapped(Sync):  # type: ignore[misc]
    """A buffer's memory while it is read."""

    def __init__(self, allocator: _MemfdAllocator, buffer: Any, _write: bool) -> None:
        self._memory = allocator.memory[buffer]

    def __enter__(self) -> mmap.mmap:
        return self._memory

    def __exit__(self, *_: object) -> None:
        """It stays mapped."""


class _MemfdAllocator(Allocator):  # type: ignore[misc]
    """Buffers in plain memory, with the two planes of NV12 that the virtual pipeline writes to."""

    def __init__(self) -> None:
        super().__init__()
        self.sync = _Mapped
        self.memory: dict[Any, mmap.mmap] = {}
        self._buffers: dict[Any, list[Any]] = {}
        self._files: list[int] = []

    def allocate(self, configuration: Any, _use_case: Any) -> None:
        self.close()
        for stream in configuration:
            self._buffers[stream.stream] = [self._buffer(stream) for _ in range(stream.buffer_count)]

    def _buffer(self, stream: Any) -> Any:
        file = os.memfd_create("frame")
        os.ftruncate(file, stream.frame_size)
        self._files.append(file)
        luma = stream.stride * stream.size.height
        buffer = libcamera.FrameBuffer([_plane(file, 0, luma), _plane(file, luma, luma // 2)])
        self.memory[buffer] = mmap.mmap(file, stream.frame_size)
        return buffer

    def buffers(self, stream: Any) -> list[Any]:
        return self._buffers[stream]

    def release(self, _buffers: Any) -> None:
        time.sleep(FRAME_SECONDS)

    def close(self) -> None:
        for file in self._files:
            os.close(file)
        self._files, self._buffers, self.memory = [], {}, {}

    def __del__(self) -> None:  # as DmaAllocator: picamera2 closes its allocator by dropping it
        self.close()


def _plane(file: int, offset: int, length: int) -> Any:
    plane = libcamera.FrameBuffer.Plane()
    plane.fd, plane.offset, plane.length = file, offset, length
    return plane


class VirtualPicamera2(implementation.Picamera2):  # type: ignore[misc]
    """picamera2's class, on a camera without a Bayer sensor."""

    def _get_raw_modes(self) -> list[dict[str, Any]]:
        return [{"format": "NV12", "size": size} for size in SIZES]

    def start_(self) -> None:
        # A sensor takes longer to its first frame than picamera2 to note that it is started. Here all buffers could be
        # back before that, and one that comes back too early is never handed to the camera again.
        with self._cm._lock:
            super().start_()

    def configure_(self, camera_config: dict[str, Any]) -> None:
        wanted = {name: camera_config[name]["format"] for name in ("main", "lores") if camera_config[name]}
        super().configure_(camera_config)
        for name, pixel_format in wanted.items():
            assert self.camera_config[name]["format"] == "NV12", "the virtual pipeline has learned another format"
            self.camera_config[name]["wanted"] = pixel_format


_as_captured = CompletedRequest.make_array


def _as_wanted(request: Any, name: str) -> Any:
    """Return picamera2's array, converted from NV12 to the requested format."""
    stream, array = request.config[name], _as_captured(request, name)
    (width, height), wanted = stream["size"], stream["wanted"]
    if wanted == "BGR888":  # libcamera's name for bytes in the order R, G, B
        return cv2.cvtColor(np.ascontiguousarray(array[:, :width]), cv2.COLOR_YUV2RGB_NV12)
    if wanted == "YUV420":
        chroma = array[height:].reshape(-1, 2)
        array[height:] = np.concatenate([chroma[:, 0], chroma[:, 1]]).reshape(array[height:].shape)
        return array
    raise ValueError(f"no conversion to {wanted} here")


CompletedRequest.make_array = _as_wanted
implementation.DmaAllocator = _MemfdAllocator
picamera2.Picamera2 = VirtualPicamera2
