"""Deprecated: import from ``facesecure.alerts.plugins.api``.

Plugins written for facesecure 0.1 import this module; it keeps the names of that version.
"""

from __future__ import annotations

import warnings

from facesecure.alerts.plugins.api import (
    HasAttach,
    HasCheck,
    HasClose,
    PluginConfig,
    PluginContext,
    SerializedPlugin,
    Speech,
)
from facesecure.domain.interfaces import ENTRY_POINT_GROUP

Attaches = HasAttach
Checks = HasCheck
Closes = HasClose
OneAtATime = SerializedPlugin

__all__ = [
    "ENTRY_POINT_GROUP",
    "Attaches",
    "Checks",
    "Closes",
    "HasAttach",
    "HasCheck",
    "HasClose",
    "OneAtATime",
    "PluginConfig",
    "PluginContext",
    "SerializedPlugin",
    "Speech",
]

warnings.warn(
    "facesecure.alerts.plugin is deprecated: import from facesecure.alerts.plugins.api",
    DeprecationWarning,
    stacklevel=2,
)
