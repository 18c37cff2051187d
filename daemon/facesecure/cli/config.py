"""``facesecure config``: check a configuration file, or print an example."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from facesecure.cli import output
from facesecure.cli.output import Json, examples, group
from facesecure.cli.settings import settings_of

app = group("Check the configuration, or print an example.", "facesecure config check", "facesecure config example")


@app.command(
    "check",
    epilog=examples("facesecure config check", "facesecure config check door.toml", "facesecure config check --json"),
)
def check(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="The file. Default: the one that would be used.")] = None,
    json: Json = False,
) -> None:
    """Read the configuration, and list every problem with its line.

    Also those of the plugins' own settings, and what is missing on this machine: a model, a file, a folder, a device.
    """
    from facesecure.config.paths import find_config
    from facesecure.domain.errors import ConfigError
    from facesecure.services.config_check import config_warnings

    path = find_config(file or settings_of(context).config_file)
    try:
        config = replace(settings_of(context), config_file=path).checked_config()
    except ConfigError as error:
        if json:
            output.emit_json({"file": path, "ok": False, "problems": error.problems or (error.message,)})
        raise
    warnings = config_warnings(config)
    for warning in warnings:
        output.note(f"warning: {warning}")
    if json:
        output.emit_json({"file": path, "ok": True, "problems": [], "warnings": warnings})
    else:
        output.say(f"ok: {path}" if path else "ok: there is no configuration file; all settings have their defaults")


@app.command(
    "example",
    epilog=examples(
        "facesecure config example", "facesecure config example | sudo tee /etc/facesecure/facesecure.toml"
    ),
)
def example() -> None:
    """Print a configuration file with every setting, its meaning and its default."""
    from facesecure.config.example import example_config

    typer.echo(example_config(), nl=False)
