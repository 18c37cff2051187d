"""``facesecure run``: watch the door."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import typer

from facesecure.cli.settings import Settings, configure_logging, settings_of, state_of
from facesecure.domain.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from facesecure.config import FacesecureConfig

Source = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="Where pictures come from: picamera2:0, v4l2:/dev/video0, rtsp://user:password@host/path, file:clip.mp4, "
        "dir:images/. Default: [camera] source in the configuration.",
    ),
]


def run(
    context: typer.Context,
    source: Source = None,
    exit_at_end: Annotated[
        bool, typer.Option("--exit-at-end", help="End when the source does; for a file or a folder.")
    ] = False,
) -> None:
    """Watch the door, and tell the plugins who comes.

    Runs until Ctrl-C or SIGTERM; SIGHUP reads the configuration again. What was seen: facesecure events list.
    """
    settings = settings_of(context)
    configure_logging(settings, usual=logging.INFO)
    config = settings.config(camera__source=source)
    from facesecure.app import assembly

    def reread() -> FacesecureConfig:
        return _reread(settings, state_of(config), source)

    assembly.run(config, state_of(config), exit_at_end=exit_at_end, reread=reread)


def _reread(settings: Settings, state_dir: Path, source: str | None) -> FacesecureConfig:
    """The configuration as it is now, checked as far as can be beside a running daemon. Raises FacesecureError."""
    from facesecure.app.assembly import check
    from facesecure.config.paths import find_config
    from facesecure.services.config_check import require_usable_plugins

    config = settings.config(camera__source=source)
    require_usable_plugins(config.plugins, find_config(settings.config_file), config.alerts.fallback)
    if state_of(config) != state_dir:
        raise ConfigError("state_dir cannot change while facesecure runs", hint="systemctl restart facesecure")
    check(config, state_dir)
    return config
