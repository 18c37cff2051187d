"""Sources of frames: cameras, network streams, video files, folders of images, and a scripted fake.

``open_source`` makes the source for an address; ``probe`` opens one once and describes it.
``camera.capture.LatestFrame`` reads a source in a thread of its own.
"""

from facesecure.camera.sources.base import ProbeResult
from facesecure.camera.sources.factory import OpenedSource, open_source, probe
from facesecure.camera.sources.scripted import ScriptedSource

__all__ = ["OpenedSource", "ProbeResult", "ScriptedSource", "open_source", "probe"]
