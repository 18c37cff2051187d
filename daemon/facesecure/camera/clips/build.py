"""Build what films one camera, if the configuration asks for films."""

from __future__ import annotations

from facesecure.camera.clips.packet_ring import PacketRing
from facesecure.camera.clips.recorder import ClipRecorder, OpenFilm
from facesecure.camera.sources.factory import is_camera
from facesecure.config import FacesecureConfig

_NOTICED = 2.0
"""Seconds that pass at most, beside the movement that makes a visit, until a visit is noticed."""


def build_ring(config: FacesecureConfig) -> PacketRing | None:
    """Return the tap for the source of ``config.camera``; None if no films are kept."""
    if not config.clips.enabled:
        return None
    reach = config.clips.before + config.verdict.presence + _NOTICED
    return PacketRing(reach, recorded=not is_camera(config.camera.source))


def build_recorder(config: FacesecureConfig, ring: PacketRing, begin: OpenFilm) -> ClipRecorder:
    """Return the recorder of ``config.camera``, whose packets are in ``ring``; ``begin`` begins its films."""
    return ClipRecorder(ring, begin, config.camera.name, config.clips)
