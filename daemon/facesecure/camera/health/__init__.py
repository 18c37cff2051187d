"""Whether the camera is well: offline, frozen, covered or blinded, moved; and when each is over.

``CameraHealth`` puts together what the modules beside it can tell, and hands on ``CameraEvent``s.
"""

from facesecure.camera.health.camera_health import CameraHealth
from facesecure.camera.health.monitor import HealthMonitor
from facesecure.domain.camera_events import CameraEvent, Trouble

__all__ = ["CameraEvent", "CameraHealth", "HealthMonitor", "Trouble"]
