"""A fake of picamera2's ``Picamera2``: the methods that ``picamera`` calls, with their shapes, padding and errors.

For tests where picamera2 is not installed. Written from picamera2's documentation and source (request.py,
picamera2.py); `make test-picamera` runs the same contract against the real one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from facesecure.domain import Image

STRIDE_ALIGNMENT = 64
"""Rows of YUV420 are padded to a multiple of this on a Pi."""


class FakePicamera2:
    """Camera ``number`` of a Pi with one camera. Shows ``picture`` (a grey card by default), ``frames`` times.

    After that ``captured_request`` times out, as picamera2 does when the sensor sends nothing. ``requests_out`` and
    ``most_requests_out`` count requests not given back; ``started``, ``closed`` and ``configured`` show the state.
    """

    def __init__(self, number: int = 0, *, picture: Image | None = None, frames: int | None = None) -> None:
        if number != 0:
            raise RuntimeError(f"No camera number {number} found")
        self.configured: dict[str, Any] = {}
        self.started = False
        self.closed = False
        self.requests_out = 0
        self.most_requests_out = 0
        self._picture = picture
        self._left = frames

    def create_video_configuration(
        self, main: dict[str, Any], lores: dict[str, Any], controls: dict[str, Any], buffer_count: int = 6
    ) -> dict[str, Any]:
        """Return a dict of the streams with the other settings beside them, as picamera2 does."""
        return {"main": dict(main), "lores": dict(lores), "controls": dict(controls), "buffer_count": buffer_count}

    def configure(self, config: dict[str, Any]) -> None:
        """Store a configuration, and fill in the strides as libcamera does."""
        self.configured = config
        width = config["lores"]["size"][0]
        config["lores"]["stride"] = -(-width // STRIDE_ALIGNMENT) * STRIDE_ALIGNMENT

    def camera_configuration(self) -> dict[str, Any]:
        """Return the configuration as ``configure`` left it."""
        return self.configured

    def start(self) -> None:
        """Begin to deliver requests."""
        self.started = True

    def close(self) -> None:
        """Stop and release."""
        self.started, self.closed = False, True

    @contextmanager
    def captured_request(self, wait: float | None = None) -> Iterator[_FakeRequest]:
        """Yield the next request, given back at the end of the block. Raises TimeoutError after the last frame."""
        if not self.started:
            raise RuntimeError("Camera is not started")
        if self._left == 0:
            raise TimeoutError(f"no request within {wait} s")
        time.sleep(self.configured["controls"]["FrameDurationLimits"][0] / 1e6)
        if self._left is not None:
            self._left -= 1
        self.requests_out += 1
        self.most_requests_out = max(self.most_requests_out, self.requests_out)
        try:
            yield _FakeRequest(self.configured, self._picture)
        finally:
            self.requests_out -= 1


class _FakeRequest:
    def __init__(self, config: dict[str, Any], picture: Image | None) -> None:
        self._config = config
        self._picture = picture

    def make_array(self, name: str) -> Image:
        """Return ``main``: (h, w, 3), R G B; or ``lores``: (h * 3 / 2, stride), Y rows first, padded with 255."""
        width, height = self._config[name]["size"]
        if name == "main":
            return self._picture if self._picture is not None else np.full((height, width, 3), 128, np.uint8)
        planes = np.full((height * 3 // 2, self._config[name]["stride"]), 255, np.uint8)
        planes[:height, :width] = 128 if self._picture is None else round(float(self._picture.mean()))
        return planes
