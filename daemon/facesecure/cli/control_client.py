"""Sends commands to the running daemon."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facesecure.cli.settings import Settings


def ask_daemon(
    settings: Settings, command: str, arguments: Mapping[str, Any] | None = None, *, seconds: float | None = None
) -> dict[str, Any]:
    """Return the running daemon's answer to ``command``; with a state directory, the answer of the daemon that uses it.

    A configuration that is broken or unreadable does not matter as long as the daemon is found at a usual place. Raises
    NoDaemonError if none is running, ControlError if it refuses, ConfigError if the configuration is needed to find it.
    """
    from facesecure.app.control.client import SECONDS, ask
    from facesecure.app.control.protocol import likely_places
    from facesecure.cli.settings import state_of
    from facesecure.config import FacesecureConfig
    from facesecure.config.paths import STATE_VARIABLE, state_directory
    from facesecure.domain.errors import ConfigError, NoDaemonError

    patience = SECONDS if seconds is None else seconds
    given = settings.state_dir is not None or STATE_VARIABLE in os.environ
    try:
        state = state_of(settings.config())
    except ConfigError as broken:
        state_dir = state_directory(FacesecureConfig(), settings.state_dir) if given else None
        try:
            return ask(command, likely_places(state_dir), arguments, state_dir=state_dir, seconds=patience)
        except NoDaemonError:
            raise broken from broken.__cause__
    return ask(command, likely_places(state), arguments, state_dir=state if given else None, seconds=patience)
