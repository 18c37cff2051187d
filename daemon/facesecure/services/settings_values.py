"""Hide what is secret in settings that are shown, and find the settings of a camera by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facesecure.config import FacesecureConfig
from facesecure.config.toml_lines import KeyPath
from facesecure.domain.errors import ConfigError
from facesecure.domain.names import camera_key
from facesecure.util.redaction import redact
from facesecure.util.secret_patterns import HIDDEN


def masked(value: Any) -> Any:
    """Return ``value`` as it may be shown: what is secret in it is hidden."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple):
        return [masked(each) for each in value]
    return {key: masked(each) for key, each in value.items()} if isinstance(value, Mapping) else value


def has_mask(value: Any) -> bool:
    """Return whether something in ``value`` is hidden, as ``masked`` hides it."""
    if isinstance(value, str):
        return HIDDEN in value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return any(map(has_mask, inner))


def camera_path(config: FacesecureConfig, name: str) -> KeyPath:
    """Return the path of the camera called ``name``. Raises ConfigError if there is none.

    Example::

        change_settings(place, {(*camera_path(config, "front door"), "mask"): areas})
    """
    for number, camera in enumerate(config.cameras):
        if camera_key(camera.name) == camera_key(name):
            return ("cameras", number)
    if not config.cameras and camera_key(config.camera.name) == camera_key(name):
        return ("camera",)
    raise ConfigError(f"there is no camera called {name!r}")
