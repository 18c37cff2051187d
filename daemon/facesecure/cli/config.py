"""``facesecure config``: check a configuration file, print an example, and see what was set on the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesecure.cli import output
from facesecure.cli.output import Json, examples, group
from facesecure.cli.settings import settings_of, state_of

if TYPE_CHECKING:
    from facesecure.services.settings_file import Place

app = group(
    "Check the configuration, print an example, or see what was set on the page.",
    "facesecure config check",
    "facesecure config example",
    "facesecure config overrides",
)


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
    from facesecure.services.settings_overlay import overridden_settings

    path = find_config(file or settings_of(context).config_file)
    try:
        config = replace(settings_of(context), config_file=path).checked_config()
    except ConfigError as error:
        if json:
            output.emit_json({"file": path, "ok": False, "problems": error.problems or (error.message,)})
        raise
    warnings, made = config_warnings(config), overridden_settings(path, state_of(config))
    for warning in warnings:
        output.note(f"warning: {warning}")
    if json:
        output.emit_json({"file": path, "ok": True, "problems": [], "warnings": warnings, "overrides": list(made)})
    else:
        output.say(f"ok: {path}" if path else "ok: there is no configuration file; all settings have their defaults")
        if made:
            output.note(f"set on the page, and counting in the place of the file: {', '.join(made)}")


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


@app.command("overrides", epilog=examples("facesecure config overrides", "facesecure config overrides --json"))
def overrides(context: typer.Context, json: Json = False) -> None:
    """List the settings that were made on the page, and count in the place of the file's.

    Only where facesecure may not change the file itself, as where it runs as a service. Passwords are hidden.
    """
    from facesecure.services.settings_overlay import overridden_settings
    from facesecure.services.settings_values import masked

    place = _place(context)
    made = {name: masked(value) for name, value in overridden_settings(place.config_file, place.state_dir).items()}
    if json:
        output.emit_json({"file": place.config_file, "overrides": made})
    elif made:
        output.table(("setting", "value"), [(name, str(value)) for name, value in made.items()])
    else:
        output.say("no setting was made on the page: all come from the file, or are defaults")


@app.command(
    "revert",
    epilog=examples("facesecure config revert", "facesecure config revert policy.quiet camera.fps"),
)
def revert(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Only these, as `overrides` lists them.")] = None,
) -> None:
    """Forget settings that were made on the page, so that the file counts again. The page can undo it.

    A running facesecure uses it after: systemctl reload facesecure
    """
    from facesecure.domain.errors import UsageError
    from facesecure.services import settings_file

    place, wanted = _place(context), names or []
    gone = settings_file.revert(place, wanted)
    if not gone and wanted:
        raise UsageError(f"the page did not set {', '.join(wanted)}", "facesecure config overrides lists what it set")
    output.say(f"reverted: {', '.join(gone)}" if gone else "no setting was made on the page")


@app.command(
    "merge",
    epilog=examples("facesecure config merge > merged.toml"),
)
def merge(context: typer.Context) -> None:
    """Print the configuration file with the settings of the page in it, its comments kept, and its passwords shown.

    To put it in the place of the file, and then: facesecure config revert
    """
    from facesecure.services import settings_file

    typer.echo(settings_file.merged(_place(context)), nl=False)


def _place(context: typer.Context) -> Place:
    from facesecure.config.paths import find_config
    from facesecure.services.settings_file import Place

    settings = settings_of(context)
    return Place(find_config(settings.config_file), settings.state())
