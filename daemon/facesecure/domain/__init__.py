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
        Subject,
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
    "Subject",
    "Verdict",
    "VerdictKind",
]
_FACES = {"AlignedFace", "Box", "Face", "Image", "Landmarks", "Quality"}
_DEPRECATED = {"LANDMARK_NAMES": "faces.LANDMARK_NAMES", "Picture": "types.FrameImage"}
"""Names of facesecure 0.1 that a plugin may import, and where they are now."""


def __getattr__(name: str) -> Any:
    if name in _DEPRECATED:
        return _deprecated(name)
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.faces" if name in _FACES else f"{__name__}.types"), name)


def _deprecated(name: str) -> Any:
    import warnings

    module, _, new = _DEPRECATED[name].rpartition(".")
    message = f"{__name__}.{name} is deprecated: use {__name__}.{module}.{new}"
    warnings.warn(message, DeprecationWarning, stacklevel=3)
    return getattr(import_module(f"{__name__}.{module}"), new)
