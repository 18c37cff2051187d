"""Build a running camera: the newest frame of its source, and the monitor of its health."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from facesecure.camera.capture import LatestFrame
from facesecure.camera.health import CameraHealth, HealthMonitor
from facesecure.camera.sources.factory import is_camera
from facesecure.config import FacesecureConfig
from facesecure.domain.camera_events import CameraEvent
from facesecure.domain.interfaces import Source


@dataclass(frozen=True, slots=True)
class Camera:
    """A source that captures ``frames``, and the ``monitor`` that checks them.

    Example::

        for frame in camera.monitor.watching(camera.frames):
            ...
    """

    frames: LatestFrame
    monitor: HealthMonitor


def build_camera(
    config: FacesecureConfig,
    source: Source,
    on_event: Callable[[CameraEvent], None],
    stack: ExitStack,
    reopen: Callable[[], Source] | None = None,
) -> Camera:
    """Start capturing ``source`` and monitoring it; ``stack`` stops both.

    ``on_event`` receives each fault of the camera and its end. A recording (``file:``, ``dir:``) is not monitored: it
    cannot be unplugged, covered or moved. ``reopen`` makes another source for a camera that hangs.
    """
    frames = stack.enter_context(LatestFrame(source, reopen))
    health = CameraHealth(config.health, on_event) if is_camera(config.camera.source) else None
    return Camera(frames, stack.enter_context(HealthMonitor(health, frames)))
