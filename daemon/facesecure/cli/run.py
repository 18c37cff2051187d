"""``facesecure run``: watch the door."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from facesecure.cli.settings import configure_logging, settings_of, state_of

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

    Runs until Ctrl-C or SIGTERM. What was seen: facesecure events list.
    """
    settings = settings_of(context)
    configure_logging(settings, usual=logging.INFO)
    config = settings.config(camera__source=source)
    from facesecure import app

    app.run(config, state_of(config), exit_at_end=exit_at_end)
