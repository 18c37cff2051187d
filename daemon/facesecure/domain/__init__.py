"""The values that travel through the daemon, and the interfaces between its rooms.

The names below are loaded when they are first used: ``facesecure.domain.errors`` stays cheap to import, since numpy is
loaded only with the types that need it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facesecure.domain.faces import AlignedFace, Box, Face, Image, Landmarks, Quality
    from facesecure.domain.types import (
        Alert,
        AlertKind,
        Embedding,
        Frame,
        FrameImage,
        Luma,
        Recognition,
        SeenFace,
        Sighting,
        Verdict,
        VerdictKind,
    )

__all__ = [
    "Alert",
    "AlertKind",
    "AlignedFace",
    "Box",
    "Embedding",
    "Face",
    "Frame",
    "FrameImage",
    "Image",
    "Landmarks",
    "Luma",
    "Quality",
    "Recognition",
    "SeenFace",
    "Sighting",
    "Verdict",
    "VerdictKind",
]
_FACES = {"AlignedFace", "Box", "Face", "Image", "Landmarks", "Quality"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.faces" if name in _FACES else f"{__name__}.types"), name)
