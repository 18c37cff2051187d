"""``facesecure-train train hugonet | compact | siamese-densenet | embedder``."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from facesecure.domain.errors import UsageError
from facesecure_training.cli import train as cli_recipes
from facesecure_training.recipes.registry import KINDS
from facesecure_training.recipes.run_folder import RunFolder
from facesecure_training.recipes.settings import MACHINE_SETTINGS, TrainingSettings

Out = Annotated[Path, typer.Option("--out", help="Folder for what the training leaves behind.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in --out, with the settings it began with.")]

_HELP = {
    "hugonet": """The report's classifier: a small VGG on 224x224 pictures, 54 million parameters.

    \b
    Examples:
      facesecure-train train hugonet --data faces --out runs/hugonet
      facesecure-train train hugonet --out runs/hugonet --resume""",
    "compact": """Our classifier: small and quick, for as many classes.

    \b
    Examples:
      facesecure-train train compact --data faces --out runs/compact --augment door
      facesecure-train train compact --out runs/compact --resume""",
    "siamese-densenet": """Two pictures, one DenseNet, and how far apart it puts them; validated on people left out.

    \b
    Examples:
      facesecure-train train siamese-densenet --data people --out runs/siamese
      facesecure-train train siamese-densenet --data people --out runs/full --blocks 6,12,24,16 --growth 32
      facesecure-train train siamese-densenet --out runs/siamese --resume""",
    "embedder": """MobileFaceNet with a margin head over the people of --data; validated on people left out.

    \b
    Examples:
      facesecure-train train embedder --data people --out runs/embedder --schedule one-cycle --lr 0.003
      facesecure-train train embedder --out runs/embedder --resume""",
}


def add_to(app: typer.Typer) -> None:
    """One command for each kind, with its settings for options."""
    for name in KINDS:
        app.command(name, help=inspect.cleandoc(_HELP[name]))(_command(name))


def _command(kind: str) -> Callable[..., None]:
    settings = KINDS[kind].settings

    def command(context: typer.Context, out: Path, resume: bool, **given: Any) -> None:
        run(kind, settings(**given), out, resume, _said(context))

    hints = get_type_hints(settings, include_extras=True)
    own = [_parameter("context", typer.Context), _parameter("out", Out), _parameter("resume", Resume, False)]
    theirs = [_parameter(field.name, hints[field.name], field.default) for field in fields(settings)]
    command.__signature__ = inspect.Signature([*own, *theirs])  # type: ignore[attr-defined]  # what typer reads
    command.__annotations__ = {one.name: one.annotation for one in (*own, *theirs)}
    return command


def _parameter(name: str, annotation: Any, default: Any = MISSING) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if default is MISSING else default,
        annotation=annotation,
    )


def _said(context: typer.Context) -> frozenset[str]:
    """Parameters that stood on the command line."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return frozenset(name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE")


def run(kind: str, settings: TrainingSettings, out: Path, resume: bool, said: frozenset[str]) -> None:
    """Trains, and says where the best network lies and what to do with it."""
    from facesecure_training.recipes.train import train

    folder = RunFolder(out)
    if resume:
        settings = resumed(folder.began(kind, type(settings)), settings, said)
    else:
        folder.refuse_if_used()
    try:
        progress = train(kind, settings, folder, resume=resume)
    except KeyboardInterrupt:
        typer.echo(f"to go on: facesecure-train train {kind} --out {out} --resume", err=True)
        raise
    typer.echo(f"{progress.finished}; best was epoch {progress.best_epoch}: {progress.best or float('nan'):.4f}")
    typer.echo(f"best network: {folder.best}")
    typer.echo(f"next: facesecure-train evaluate {KINDS[kind].judge} --help; facesecure-train export --help")


def resumed(before: TrainingSettings, now: TrainingSettings, said: frozenset[str]) -> TrainingSettings:
    """What the run began with, threads and the like as said now if at all. Raises UsageError for what differs."""
    asked = {name: getattr(now, name) for name in said & {field.name for field in fields(now)}}
    for name in asked.keys() - MACHINE_SETTINGS:
        if asked[name] != getattr(before, name):
            raise UsageError(
                f"--{name.replace('_', '-')} is {asked[name]}, and the run began with {getattr(before, name)}",
                "leave it out to resume, or begin another run in another --out",
            )
    return replace(before, **{name: asked[name] for name in asked.keys() & MACHINE_SETTINGS})


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

    from facesecure.vision.inference.model_card import load_model
    from facesecure_training.recipes import human_filter as command

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
