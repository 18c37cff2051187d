"""Say which changes of settings the page may not make, and why, before anything is read from their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from facesecure.config.changeable import camera_problem, locked, value_problem
from facesecure.config.loader import Problem
from facesecure.config.toml_edit import adds_camera, value_at
from facesecure.config.toml_lines import KeyPath
from facesecure.domain.errors import ConfigError
from facesecure.services.settings_overlay import camera_called
from facesecure.services.settings_values import has_mask, masked
from facesecure.util.secret_patterns import HIDDEN

MOST_CHANGES = 300
_WHOLE = f"write all of it, with its password: {HIDDEN} stands for what is hidden"


def not_for_the_page(tables: Mapping[str, Any], changes: Mapping[KeyPath, Any]) -> list[Problem]:
    """Return what the page may not change of ``tables``. Raises ConfigError for too many changes."""
    if len(changes) > MOST_CHANGES:
        raise ConfigError(f"these are more than {MOST_CHANGES} changes", hint="save some of them first")
    return [problem for path, value in changes.items() for problem in _problems(tables, path, value)]


def _problems(tables: Mapping[str, Any], path: KeyPath, value: Any) -> Iterator[Problem]:
    if adds_camera(path):
        yield from _of_new_camera(tables, path, value)
        return
    why = locked(path) or value_problem(path, value)
    if why is None and path[:1] == ("cameras",) and not isinstance(value_at(tables, path[:2]), dict):
        why = "there is no such camera"
    if why is None and has_mask(value) and masked(value_at(tables, path)) != value:
        why = _WHOLE
    if why is not None:
        yield Problem(path, why)


def _of_new_camera(tables: Mapping[str, Any], path: KeyPath, camera: Any) -> Iterator[Problem]:
    problem = camera_problem(path, camera)
    if problem is not None:
        yield Problem(*problem)
    elif (there := camera_called(tables, str(camera["name"]))) is not None:
        yield Problem((*path, "name"), f"{there!r} is the name of another camera; give each its own")
    elif has_mask(camera):
        yield Problem((*path, "source"), _WHOLE)
