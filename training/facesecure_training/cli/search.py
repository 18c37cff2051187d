"""``facesecure-train search``: which settings train best."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from facesecure_training.recipes.registry import KINDS


def search(
    data: Annotated[Path, typer.Option("--data", help="Class folders, as for train.", exists=True, file_okay=False)],
    kind: Annotated[
        Literal["hugonet", "compact", "siamese-densenet", "embedder"], typer.Option("--kind", help="What to train.")
    ] = "hugonet",
    validation: Annotated[Path | None, typer.Option("--validation", help="As for train.")] = None,
    trials: Annotated[int, typer.Option("--trials", min=1, help="Finished trials in all, by all workers.")] = 20,
    storage: Annotated[str, typer.Option("--storage", help="Database URL that workers share.")] = "sqlite:///search.db",
    name: Annotated[str, typer.Option("--name", help="Of the search, in the database.")] = "search",
    out: Annotated[Path, typer.Option("--out", help="Folder for each trial's run, and the report.")] = Path("search"),
    sampler: Annotated[Literal["random", "tpe"], typer.Option("--sampler", help="How trials are drawn.")] = "random",
    pruner: Annotated[
        Literal["none", "median"], typer.Option("--pruner", help="median: ends the worse half early.")
    ] = "none",
    epochs: Annotated[tuple[int, int], typer.Option("--epochs", help="At least and at most.")] = (5, 30),
    size: Annotated[int | None, typer.Option("--size", help="Side of the pictures; as train's if left out.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the search and of each training.")] = 0,
    worker: Annotated[int, typer.Option("--worker", help="A number of its own for each worker.")] = 0,
    threads: Annotated[int, typer.Option("--threads", min=0, help="Of the processor; 0: all.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a search, or help with it.")] = False,
) -> None:
    """Random search over learning rate, batch, epochs, augmentation and width; several workers may share it.

    \b
    Examples:
      facesecure-train search --kind compact --data faces --trials 30 --storage sqlite:///search.db
      facesecure-train search --kind compact --data faces --trials 30 --storage sqlite:///search.db --resume --worker 1
    """
    from facesecure_training.search import report, study
    from facesecure_training.search.space import SearchSpace
    from facesecure_training.search.trial import objective

    found = study.open_study(storage, name, resume=resume, sampler=sampler, pruner=pruner, seed=seed, worker=worker)
    given: dict[str, Any] = {"data": data, "validation": validation, "seed": seed, "threads": threads}
    given |= {} if size is None else {"size": size}
    settings = KINDS[kind].settings(**given)
    study.run(found, objective(kind, settings, SearchSpace(epochs), out), trials, _say)
    said = {key: value for key, value in given.items() if value is not None and key != "threads"}
    command = report.best_command(found, kind, said, out / "best") if report.finished(found) else ""
    typer.echo(f"report: {report.write(found, out, command)}")
    typer.echo(f"train the best: {command}")


def _say(trial: Any) -> None:
    value = "" if trial.value is None else f"{trial.value:.4f}"
    settings = "  ".join(f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
                         for name, value in trial.params.items())  # fmt: skip
    why = trial.user_attrs.get("why", "")
    typer.echo(f"trial {trial.number} {trial.state.name.lower()} {value}{why}  {settings}", err=True)
