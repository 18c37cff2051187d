"""Find picamera2 and a camera: on a Pi, or in the chroot of `make test-picamera`."""

from __future__ import annotations

import functools
import importlib.util

from facesecure.config import CameraConfig

WANTED = CameraConfig(source="picamera2:0", width=640, height=360, fps=30, timeout=2.0)


@functools.cache
def unavailable() -> str | None:
    """Return why picamera2 is not available; None if it is."""
    if importlib.util.find_spec("picamera2") is None:
        return "picamera2 is not installed; `make test-picamera` runs this against the real one"
    from picamera2 import Picamera2

    return None if Picamera2.global_camera_info() else "no camera is connected"
