"""``facesecure-train train hugonet | compact | siamese-densenet | embedder``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from facesecure.errors import UsageError
from facesecure_training.recipes.kinds import KINDS
from facesecure_training.recipes.runfolder import RunFolder
from facesecure_training.recipes.settings import OF_THIS_MACHINE, Settings

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


def run(kind: str, settings: Settings, out: Path, resume: bool, said: frozenset[str]) -> None:
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


def resumed(before: Settings, now: Settings, said: frozenset[str]) -> Settings:
    """What the run began with, threads and the like as said now if at all. Raises UsageError for what differs."""
    asked = {name: getattr(now, name) for name in said & {field.name for field in fields(now)}}
    for name in asked.keys() - OF_THIS_MACHINE:
        if asked[name] != getattr(before, name):
            raise UsageError(
                f"--{name.replace('_', '-')} is {asked[name]}, and the run began with {getattr(before, name)}",
                "leave it out to resume, or begin another run in another --out",
            )
    return replace(before, **{name: asked[name] for name in asked.keys() & OF_THIS_MACHINE})
