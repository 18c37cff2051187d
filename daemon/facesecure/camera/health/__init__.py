"""Detect that a camera is offline, frozen, covered or blinded, or moved, and when each trouble is over.

``CameraHealth`` combines the four detectors and reports ``CameraEvent``s; ``HealthMonitor`` runs it beside a camera.
"""

from facesecure.camera.health.camera_health import CameraHealth
from facesecure.camera.health.monitor import HealthMonitor
from facesecure.domain.camera_events import CameraEvent, Trouble

__all__ = ["CameraEvent", "CameraHealth", "HealthMonitor", "Trouble"]
