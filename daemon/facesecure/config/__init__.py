"""The configuration file: its schema, the loader, and the folders that the daemon uses.

The sections below are imported on first use: pydantic takes longer to import than the rest of the command line.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facesecure.config.schema import (
        AlertsConfig,
        CameraConfig,
        ClipsConfig,
        DetectorConfig,
        FacesecureConfig,
        HealthConfig,
        InferenceConfig,
        MotionConfig,
        QualityConfig,
        RecognizerConfig,
        SpeechConfig,
        StoreConfig,
        VerdictConfig,
        VoiceName,
    )

__all__ = [
    "AlertsConfig",
    "CameraConfig",
    "ClipsConfig",
    "DetectorConfig",
    "FacesecureConfig",
    "HealthConfig",
    "InferenceConfig",
    "MotionConfig",
    "QualityConfig",
    "RecognizerConfig",
    "SpeechConfig",
    "StoreConfig",
    "VerdictConfig",
    "VoiceName",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.schema"), name)
