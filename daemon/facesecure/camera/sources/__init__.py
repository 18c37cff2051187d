"""Where pictures come from: cameras, streams, files, folders, and a fake.

``open_source`` turns an address into a Source; ``LatestFrame`` runs one; ``probe`` tries one for the doctor.
"""

from facesecure.camera.capture import LatestFrame
from facesecure.camera.sources.base import ProbeResult
from facesecure.camera.sources.factory import OpenedSource, open_source, probe
from facesecure.camera.sources.scripted import ScriptedSource
from facesecure.camera.sources.uri import redact

__all__ = ["LatestFrame", "OpenedSource", "ProbeResult", "ScriptedSource", "open_source", "probe", "redact"]
