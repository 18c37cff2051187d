"""Asking the running daemon."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facesecure.cli.settings import Settings


def ask_daemon(
    settings: Settings, command: str, arguments: Mapping[str, Any] | None = None, *, seconds: float | None = None
) -> dict[str, Any]:
    """The running daemon's answer to ``command``; where a state directory was named, that of the daemon it is of.

    A configuration that is broken, or closed to the caller, keeps nobody from asking the service. Raises NoDaemonError
    where none is running, ControlError where it refuses, ConfigError where without a configuration it cannot be found.
    """
    from facesecure.app.control.client import SECONDS, ask
    from facesecure.app.control.protocol import likely_places
    from facesecure.cli.settings import state_of
    from facesecure.config import FacesecureConfig
    from facesecure.config.paths import STATE_VARIABLE, state_directory
    from facesecure.domain.errors import ConfigError, NoDaemonError

    patience = SECONDS if seconds is None else seconds
    named = settings.state_dir is not None or STATE_VARIABLE in os.environ
    try:
        state = state_of(settings.config())
    except ConfigError as broken:
        known = state_directory(FacesecureConfig(), settings.state_dir) if named else None
        try:
            return ask(command, likely_places(known), arguments, state_dir=known, seconds=patience)
        except NoDaemonError:
            raise broken from None
    return ask(command, likely_places(state), arguments, state_dir=state if named else None, seconds=patience)
