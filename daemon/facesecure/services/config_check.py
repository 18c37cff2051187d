"""Checks a configuration against the plugins, models, devices and folders of this machine.

``facesecure config check`` and a reload insist on it. The daemon starts without a plugin whose table is wrong, and says
so in its log, in the same words. No check uses the network, a camera or a loudspeaker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from facesecure.config import FacesecureConfig
from facesecure.config.loader import PageSettings, Problem, SettingsFile, no_page, read_settings, validated
from facesecure.services.setting_checks import CHECKS, Sections
from facesecure.util.rates import false_accept_warning


def checked_config(
    named: Path | None,
    overrides: Mapping[str, Any],
    state_directory: Callable[[FacesecureConfig], Path],
    page: PageSettings = no_page,
) -> FacesecureConfig:
    """Load the configuration as ``load_config`` does, and check everything in it.

    ``state_directory`` returns the state directory of a configuration, ``page`` the settings that were made on the
    page. Raises ConfigError with all problems: of the schema, of each plugin's own settings, and of what is missing on
    this machine.

    Example::

        checked_config(Path("door.toml"), {}, state_directory)
    """
    file = read_settings(named, overrides, page)
    config, problems = checked(file, state_directory)
    if config is None or problems:
        raise file.error(problems)
    return config


def checked(
    file: SettingsFile, state_directory: Callable[[FacesecureConfig], Path]
) -> tuple[FacesecureConfig | None, list[Problem]]:
    """Return the configuration in ``file``, None if the schema refuses it, and all that is wrong with it here."""
    config, problems = validated(file)
    return config, problems + _found_here(file, config, state_directory)


def config_warnings(config: FacesecureConfig) -> list[str]:
    """Return what is allowed in ``config`` and makes no sense."""
    warning = false_accept_warning(config.verdict.false_accept)
    found = [f"verdict.false_accept: {warning}"] if warning else []
    for one in config.each_camera():
        found += [f"camera {one.camera.name!r}: {problem}" for problem in _camera_warnings(one)]
    return found


def _camera_warnings(config: FacesecureConfig) -> Iterator[str]:
    """Yield what makes no sense in the settings of the camera of ``config``."""
    from facesecure.vision.detection.areas import WatchedArea

    camera = config.camera
    if not WatchedArea(config.motion.mask, camera.zones).pixels((90, 160)).any():
        yield "nothing of its image is watched: its zones lie in the mask, or the mask covers everything"
    if camera.detect is not None and camera.detect.strip() == camera.source.strip():
        yield "detect is the same stream as source: it saves nothing, and is received twice"


def _found_here(
    file: SettingsFile, config: FacesecureConfig | None, state_directory: Callable[[FacesecureConfig], Path]
) -> list[Problem]:
    """Return what is wrong with the sections that are valid by themselves, on this machine."""
    if file.syntax and not file.tables:
        return []
    sections = Sections(file.tables)
    state_dir = state_directory(config or FacesecureConfig(state_dir=sections.state_dir))
    return [problem for check in CHECKS for problem in check(sections, state_dir)]
