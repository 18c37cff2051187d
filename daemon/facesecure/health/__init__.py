"""Whether the camera is well: offline, frozen, covered or blinded, moved; and when each is over.

``CameraHealth`` puts together what the modules beside it can tell, and hands on ``CameraEvent``s.
"""

from facesecure.health.camera import CameraHealth
from facesecure.health.events import CameraEvent, Trouble
from facesecure.health.monitor import HealthMonitor

__all__ = ["CameraEvent", "CameraHealth", "HealthMonitor", "Trouble"]
