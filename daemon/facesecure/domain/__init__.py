"""The domain types that pass through the daemon, and the interfaces between its packages.

The names below are imported on first use, so that ``facesecure.domain.errors`` can be imported without numpy.
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
