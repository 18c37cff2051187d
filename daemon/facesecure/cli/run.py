"""``facesecure run``: watch the camera and send alerts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import typer

from facesecure.cli.settings import Settings, configure_logging, settings_of, state_of
from facesecure.domain.errors import ConfigError, HubError

if TYPE_CHECKING:
    from pathlib import Path

    from facesecure.app.assembly import Front
    from facesecure.config import FacesecureConfig

Source = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="What to watch: picamera2:0, v4l2:/dev/video0, rtsp://user:password@host/path, file:clip.mp4, "
        "dir:images/. Default: [camera] source in the configuration.",
    ),
]


def run(
    context: typer.Context,
    source: Source = None,
    exit_at_end: Annotated[
        bool, typer.Option("--exit-at-end", help="Exit at the end of the source, if it is a file or a folder.")
    ] = False,
) -> None:
    """Watch the camera, and send alerts through the plugins.

    Runs until Ctrl-C or SIGTERM; SIGHUP reloads the configuration. To list the sightings: facesecure events list.
    """
    settings = settings_of(context)
    configure_logging(settings, usual=logging.INFO)
    config = settings.config(camera__source=source)
    from facesecure.app import assembly
    from facesecure.config.paths import find_config

    def reread() -> FacesecureConfig:
        return _reload(settings, state_of(config), source)

    file = find_config(settings.config_file)
    assembly.run(
        config,
        state_of(config),
        exit_at_end=exit_at_end,
        reread=reread,
        config_file=file,
        fronts=[_mqtt_front, _hub_front],
    )


def _mqtt_front(config: FacesecureConfig) -> Front | None:
    """Return the front for MQTT if it is enabled; nothing of it is imported otherwise."""
    if not config.mqtt.enabled:
        return None
    from facesecure.mqtt.front import MqttFront

    return MqttFront(config)


def _hub_front(config: FacesecureConfig) -> Front | None:
    """Return the front for the hub if one is named; nothing of it is imported otherwise."""
    if not config.hub.enabled:
        return None
    from facesecure.hub.driver import require_driver

    try:
        require_driver()
    except HubError as error:
        logging.getLogger(__name__).error("%s; %s", error.message, error.hint)  # the door goes on without its hub
        return None
    from facesecure.hub.front import HubFront

    return HubFront(config)


def _reload(settings: Settings, state_dir: Path, source: str | None) -> FacesecureConfig:
    """Load the configuration again and check what can be checked while the daemon runs. Raises FacesecureError."""
    from facesecure.app.assembly import check

    config = settings.checked_config(camera__source=source)
    if state_of(config) != state_dir:
        raise ConfigError("state_dir cannot change while facesecure runs", hint="systemctl restart facesecure")
    check(config, state_dir)
    return config
