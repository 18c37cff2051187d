"""``facesecure-train search``: which settings train best."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from facesecure.domain.errors import UsageError
from facesecure_training.common.option_info import LARGEST_SEED
from facesecure_training.recipes.registry import KINDS
from facesecure_training.recipes.settings import Objective, TrainingSettings


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """What is trained, how trials are drawn, and where they are kept."""

    data: Annotated[Path, typer.Option("--data", help="Class folders, as for train.", exists=True, file_okay=False)]
    kind: Annotated[
        Literal["hugonet", "compact", "siamese-densenet", "embedder"],
        typer.Option("--kind", help="Kind of network to train."),
    ] = "hugonet"
    compact: Annotated[
        Literal["head", "cnn"] | None, typer.Option("--compact", help="Which kind of compact network; head by default.")
    ] = None
    siamese: Annotated[
        Objective | None,
        typer.Option("--siamese", help="What a siamese DenseNet learns from (train's --objective); pairs by default."),
    ] = None
    validation: Annotated[Path | None, typer.Option("--validation", help="As for train.")] = None
    trials: Annotated[
        int, typer.Option("--trials", min=1, help="Number of finished trials, over all workers.")
    ] = 20  # fmt: skip
    storage: Annotated[str, typer.Option("--storage", help="URL of the database that workers share.")] = (
        "sqlite:///search.db"
    )
    name: Annotated[str, typer.Option("--name", help="Name of the search in the database.")] = "search"
    out: Annotated[Path, typer.Option("--out", help="Folder for each trial's run, and the report.")] = Path("search")
    sampler: Annotated[Literal["random", "tpe"], typer.Option("--sampler", help="How trials are drawn.")] = "random"
    pruner: Annotated[
        Literal["none", "median"], typer.Option("--pruner", help="median: stop trials worse than the median early.")
    ] = "none"
    epochs: Annotated[tuple[int, int], typer.Option("--epochs", help="Fewest and most epochs of a trial.")] = (5, 30)
    lr: Annotated[tuple[float, float], typer.Option("--lr", help="Lowest and highest learning rate of a trial.")] = (
        1e-7,
        1e-1,
    )
    size: Annotated[
        int | None, typer.Option("--size", min=16, help="Side of the images in pixels; default as for train.")
    ] = None  # fmt: skip
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=LARGEST_SEED, help="Seed of the search and of each training.")
    ] = 0  # fmt: skip
    worker: Annotated[int, typer.Option("--worker", min=0, help="Number of this worker; each needs its own.")] = 0
    threads: Annotated[int, typer.Option("--threads", min=0, help="CPU threads; 0: all.")] = 0
    resume: Annotated[bool, typer.Option("--resume", help="Continue a search, or join one.")] = False

    def given(self) -> dict[str, Any]:
        """Return the training settings that all trials share."""
        shared: dict[str, Any] = {
            "data": self.data,
            "validation": self.validation,
            "seed": self.seed,
            "threads": self.threads,
        }
        shared |= {} if self.size is None else {"size": self.size}
        shared |= {} if self.siamese is None else {"objective": self.siamese}
        return shared | ({} if self.compact is None else {"kind": self.compact})

    def settings(self) -> TrainingSettings:
        """Return the settings that a trial starts from.

        Raises UsageError for an option of another network, and for bounds between which nothing can be drawn.
        """
        self._require_bounds()
        if self.compact is not None and self.kind != "compact":
            raise UsageError(f"--compact is for --kind compact, not {self.kind}", "leave it out")
        if self.siamese is not None and self.kind != "siamese-densenet":
            raise UsageError(f"--siamese is for --kind siamese-densenet, not {self.kind}", "leave it out")
        return KINDS[self.kind].settings(**self.given())

    def _require_bounds(self) -> None:
        if not 1 <= self.epochs[0] <= self.epochs[1]:
            raise UsageError(f"--epochs is {_pair(self.epochs)}", "give the fewest, at least 1, and then the most")
        if not 0 < self.lr[0] <= self.lr[1] < math.inf:
            raise UsageError(f"--lr is {_pair(self.lr)}", "give the lowest, above 0, and then the highest")


def _pair(bounds: tuple[float, float]) -> str:
    return " ".join(f"{bound:g}" for bound in bounds)


def search(options: SearchOptions) -> None:
    r"""Search learning rate, batch size, epochs, augmentation and width at random; several workers can share a search.

    \b
    Examples:
      facesecure-train search --kind compact --data faces --trials 30 --storage sqlite:///search.db
      facesecure-train search --kind compact --data faces --trials 30 --storage sqlite:///search.db --resume --worker 1
      facesecure-train search --kind compact --data faces --trials 30 --resume --worker 2 \
        --storage postgresql+psycopg://search:PASSWORD@10.0.0.5/search?sslmode=require
    """
    from facesecure.util.redaction import learn_address, redact
    from facesecure_training.search import report, study
    from facesecure_training.search.space import SearchSpace
    from facesecure_training.search.trial import objective

    learn_address(options.storage)
    settings = options.settings()
    found = study.open_study(
        options.storage,
        options.name,
        resume=options.resume,
        sampler=options.sampler,
        pruner=options.pruner,
        seed=options.seed,
        worker=options.worker,
    )
    trial = objective(options.kind, settings, SearchSpace(options.epochs, options.lr), options.out)
    try:
        study.run(found, trial, options.trials, _print_trial)
    except KeyboardInterrupt:
        kept = len(found.get_trials(deepcopy=False, states=study.ended()))
        typer.echo(
            f"kept in {redact(options.storage)}: {kept} of {options.trials} trials; --resume continues", err=True
        )
        raise
    shown = {key: value for key, value in options.given().items() if value is not None and key != "threads"}
    best = options.out / "best"
    command = report.best_command(found, options.kind, shown, best) if report.finished(found) else ""
    typer.echo(f"report: {report.write(found, options.out, command)}")
    typer.echo(f"train with the best settings: {command}")


def _print_trial(trial: Any) -> None:
    value = "" if trial.value is None else f"{trial.value:.4f}"
    settings = "  ".join(f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
                         for name, value in trial.params.items())  # fmt: skip
    why = trial.user_attrs.get("why", "")
    typer.echo(f"trial {trial.number} {trial.state.name.lower()} {value}{why}  {settings}", err=True)
