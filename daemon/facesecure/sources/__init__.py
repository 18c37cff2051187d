"""Where pictures come from: cameras, streams, files, folders, and a fake.

``open_source`` turns an address into a Source; ``LatestFrame`` runs one; ``probe`` tries one for the doctor.
"""

from facesecure.sources.capture import LatestFrame
from facesecure.sources.opening import OpenedSource, open_source, probe
from facesecure.sources.probing import ProbeResult
from facesecure.sources.scripted import ScriptedSource
from facesecure.sources.uri import redact

__all__ = ["LatestFrame", "OpenedSource", "ProbeResult", "ScriptedSource", "open_source", "probe", "redact"]
