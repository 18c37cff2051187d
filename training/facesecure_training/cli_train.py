"""The commands under ``facesecure-train train``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from facesecure_training import cli_recipes

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Teach what the daemon's models have yet to learn.")


@app.callback()
def train() -> None:
    """Teach what the daemon's models have yet to learn."""


cli_recipes.add_to(app)


@app.command("personhood")
def personhood(
    people: Annotated[
        Path, typer.Option("--people", help="Photos in LFW's layout: NAME/NAME_0001.jpg.", exists=True, file_okay=False)
    ],
    things: Annotated[
        list[Path], typer.Option("--things", help="A folder of pictures without people; may be repeated.", exists=True)
    ],
    without: Annotated[
        Path | None, typer.Option("--without", help="Names of pictures among them that do show people, one a line.")
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="An embedding model; may be repeated.", show_default="mobilefacenet"),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=100, help="Photos of people at most, evenly spread.")] = 3000,
    state_dir: Annotated[
        Path | None, typer.Option("--state-dir", envvar="FACESECURE_STATE_DIR", help="Where pulled models lie (YuNet).")
    ] = None,
    write_card: Annotated[bool, typer.Option("--write-card", help="Write the weights into the models' cards.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Is it a person's face at all? Learns to tell by an embedding, and says how well, on pictures not learnt from.

    \b
    Example:
      facesecure-train train personhood --people lfw-dev/images --things pets --things scenes --without with-people.txt
    """
    from dataclasses import asdict

    from facesecure.vision.model_card import load_model
    from facesecure_training import personhood as command

    left_out = without.read_text().split() if without else []
    documents = {}
    for name in models or ["mobilefacenet"]:
        model = load_model(name, state_dir)
        weights, found = command.run(model, people, things, left_out, limit, state_dir)
        if write_card:
            command.write(model, weights, found, ", ".join(folder.name for folder in [people.parent, *things]))
        documents[name] = asdict(found)
    if as_json:
        typer.echo(json.dumps(documents, indent=2))
        return
    for name, figures in documents.items():
        typer.echo(f"{name}: " + ", ".join(f"{key.replace('_', ' ')} {value:.2f}" for key, value in figures.items()))
