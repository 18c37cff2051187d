"""``facesecure-train train hugonet | compact | siamese-densenet | embedder | discriminant | personhood``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from facesecure.domain.errors import UsageError
from facesecure_training.cli.command_builder import add_command, command
from facesecure_training.cli.options import AsJson, StateDir, print_json
from facesecure_training.recipes.registry import KINDS
from facesecure_training.recipes.run_folder import RunFolder
from facesecure_training.recipes.settings import (
    DISCRIMINANT,
    MACHINE_SETTINGS,
    DiscriminantSettings,
    TrainingSettings,
)

if TYPE_CHECKING:
    from facesecure_training.recipes.hosts import TrainingHosts

_HELP = {
    "hugonet": r"""Train the report's classifier: a small VGG on 224x224 images, 54 million parameters.

    \b
    Examples:
      facesecure-train train hugonet --data faces --out runs/hugonet
      facesecure-train train hugonet --out runs/hugonet --resume""",
    "compact": r"""Train our classifier: small and fast, for any number of classes.

    \b
    Examples:
      facesecure-train train compact --data faces --out runs/compact --augment door
      facesecure-train train compact --out runs/compact --resume""",
    "siamese-densenet": r"""Train a siamese DenseNet on pairs of images; validated on people left out.

    \b
    Examples:
      facesecure-train train siamese-densenet --data people --out runs/siamese
      facesecure-train train siamese-densenet --data people --out runs/full --blocks 6,12,24,16 --growth 32
      facesecure-train train siamese-densenet --out runs/siamese --resume""",
    "embedder": r"""Train MobileFaceNet with a margin head over the people in --data; validated on people left out.

    \b
    Examples:
      facesecure-train train embedder --data people --out runs/embedder --schedule one-cycle --lr 0.003
      facesecure-train train embedder --out runs/embedder --resume
      facesecure-train train embedder --data people --out runs/embedder --strategy multi-worker \
        --hosts 10.0.0.5:2222,10.0.0.6:2222 --host 0""",
}

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Train the daemon's models.")


@app.callback()
def train() -> None:
    """Train the daemon's models."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Where a training is kept, and whether it is resumed."""

    out: Annotated[Path, typer.Option("--out", help="Folder for everything the training writes.")]
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in --out, with the settings it began with.")
    ] = False
    strategy: Annotated[
        Literal["auto", "multi-worker"],
        typer.Option(
            "--strategy", help="multi-worker: several machines train together; auto: this one, on all its GPUs."
        ),
    ] = "auto"
    hosts: Annotated[
        str | None,
        typer.Option(
            "--hosts",
            metavar="HOST:PORT,...",
            help="All machines of --strategy multi-worker, in the same order on each.",
        ),
    ] = None
    host: Annotated[int, typer.Option("--host", min=0, help="Which of --hosts this machine is; 0 writes the run.")] = 0

    def together(self) -> TrainingHosts | None:
        """Return the machines that train together; None for one. Raises UsageError."""
        from facesecure_training.recipes.hosts import TrainingHosts

        if self.strategy == "auto":
            if self.hosts is not None:
                raise UsageError("--hosts is for several machines", "add --strategy multi-worker")
            return None
        return TrainingHosts.of(self.hosts, self.host)


def _handler(kind: str) -> Callable[[typer.Context, RunOptions, TrainingSettings], None]:
    def handler(context: typer.Context, options: RunOptions, settings: TrainingSettings) -> None:
        run(kind, settings, options.out, options.resume, _given(context), options.together())

    return handler


for _kind, _recipe in KINDS.items():
    add_command(app, _kind, _handler(_kind), groups=(typer.Context, RunOptions, _recipe.settings), help=_HELP[_kind])


def _given(context: typer.Context) -> frozenset[str]:
    """Return the names of the parameters that were given on the command line."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return frozenset(name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE")


def run(
    kind: str,
    settings: TrainingSettings,
    out: Path,
    resume: bool,
    given: frozenset[str],
    hosts: TrainingHosts | None = None,
) -> None:
    """Train, and print where the best network is and what to do with it."""
    from facesecure_training.recipes.checkpoint import kept
    from facesecure_training.recipes.train import train

    folder = RunFolder(hosts.folder(out) if hosts else out)
    if resume:
        settings = resumed(folder.read_settings(kind, type(settings)), settings, given)
    else:
        folder.refuse_if_used()
    try:
        progress = train(kind, settings, folder, resume=resume, hosts=hosts)
    except KeyboardInterrupt:
        typer.echo(f"kept in {out}: {kept(folder.state) or 'nothing yet'}", err=True)
        typer.echo(f"to resume: facesecure-train train {kind} --out {out} --resume", err=True)
        raise
    typer.echo(f"{progress.finished}; best was epoch {progress.best_epoch}: {progress.best or float('nan'):.4f}")
    typer.echo(f"best network: {folder.best}")
    typer.echo(f"next: facesecure-train evaluate {KINDS[kind].evaluation} --help; facesecure-train export --help")


def resumed(before: TrainingSettings, now: TrainingSettings, given: frozenset[str]) -> TrainingSettings:
    """Return the settings the run began with, with the machine's settings (threads, eager) as ``given`` now.

    Raises UsageError for any other setting that is given and differs.
    """
    wanted = {name: getattr(now, name) for name in given & {field.name for field in fields(now)}}
    for name in wanted.keys() - MACHINE_SETTINGS:
        if wanted[name] != getattr(before, name):
            raise UsageError(
                f"--{name.replace('_', '-')} is {wanted[name]}, and the run began with {getattr(before, name)}",
                "leave it out to resume, or begin another run in another --out",
            )
    return replace(before, **{name: wanted[name] for name in wanted.keys() & MACHINE_SETTINGS})


@dataclass(frozen=True, kw_only=True)
class NewRunOptions:
    """Where a run is kept that is computed at once."""

    out: Annotated[Path, typer.Option("--out", help="Folder for everything the run writes.")]


def discriminant(options: NewRunOptions, settings: DiscriminantSettings) -> None:
    r"""Turn a trained DenseNet into a better embedder, in minutes: only its last layers are computed anew.

    The maps before its transitions are compared place by place, beside fixed filters for edges and lines, on the axes
    that best tell the people of --data apart (Fisher's discriminants). No gradient, no GPU.

    \b
    Example:
      facesecure-train train discriminant --data people --validation others --initial runs/siamese --out runs/better
    """
    from facesecure_training.recipes.discriminant import train

    folder = RunFolder(options.out)
    figures = train(settings, folder)
    typer.echo(f"area under the curve on other people: {figures['val_auc']:.4f}; right: {figures['val_accuracy']:.1%}")
    typer.echo(f"network: {folder.best}")
    typer.echo(f"next: facesecure-train export {options.out}")


add_command(app, DISCRIMINANT, discriminant, groups=(NewRunOptions, DiscriminantSettings), help=discriminant.__doc__)


@dataclass(frozen=True, kw_only=True)
class HumanFilterOptions:
    """The photos that the human-face filter is trained on, and the models it is trained for."""

    people: Annotated[
        Path, typer.Option("--people", help="Photos in LFW's layout: NAME/NAME_0001.jpg.", exists=True, file_okay=False)
    ]
    things: Annotated[
        list[Path], typer.Option("--things", help="A folder of images without people; repeatable.", exists=True)
    ]
    without: Annotated[
        Path | None, typer.Option("--without", help="File with names of images in it that do show people, one a line.")
    ] = None
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="An embedding model; repeatable.", show_default="mobilefacenet"),
    ] = None
    limit: Annotated[
        int, typer.Option("--limit", min=100, help="Use at most this many photos of people, evenly spaced.")
    ] = 3000  # fmt: skip
    state_dir: StateDir = None
    write_card: Annotated[bool, typer.Option("--write-card", help="Write the weights to the models' cards.")] = False
    as_json: AsJson = False


@command(app, "personhood")
def personhood(options: HumanFilterOptions) -> None:
    r"""Train the filter that rejects faces of animals and things by their embeddings.

    Reports how well it does on images it was not trained on.

    \b
    Example:
      facesecure-train train personhood --people lfw-dev/images --things pets --things scenes --without with-people.txt
    """
    from facesecure.storage.trusted_models import load_model
    from facesecure.util.paths import read_text
    from facesecure_training.recipes import human_filter

    excluded = (
        [line.strip() for line in read_text(options.without, "surrogateescape").split("\n")] if options.without else []
    )
    dataset = ", ".join(folder.name for folder in [options.people.parent, *options.things])
    documents: dict[str, Any] = {}
    for name in options.models or ["mobilefacenet"]:
        model = load_model(name, options.state_dir)
        weights, found = human_filter.run(
            model, options.people, options.things, excluded, options.limit, options.state_dir
        )  # fmt: skip
        if options.write_card:
            human_filter.write(model, weights, found, dataset)
        documents[name] = asdict(found)
    if options.as_json:
        print_json(documents)
        return
    for name, figures in documents.items():
        typer.echo(f"{name}: " + ", ".join(f"{key.replace('_', ' ')} {value:.2f}" for key, value in figures.items()))
